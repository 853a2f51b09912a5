// Wording that comes together only in scams. Each rule needs several independent pieces.

rule SEXTORTION
{
    meta:
        description = "demands a ransom for alleged recordings"
        category = "phish"
        weight = 8
        views = "raw text"
    strings:
        $coin1 = "bitcoin" nocase
        $coin2 = "btc wallet" nocase
        $coin3 = "btc address" nocase
        $wallet = /\bbc1q[a-z0-9]{38,58}\b/
        $coin4 = "btc" nocase fullword
        $film1 = "your webcam" nocase
        $film2 = "your camera" nocase
        $film3 = "recorded you" nocase
        $film4 = "recorded a video" nocase
        $film5 = "porn" nocase
        $film6 = "masturbat" nocase
        $film7 = "adult site" nocase
        $film8 = "adult website" nocase
        $threat1 = "your contacts" nocase
        $threat2 = "all your friends" nocase
        $threat3 = "48 hours" nocase
        $threat4 = "50 hours" nocase
        $threat5 = "infected your" nocase
        $threat6 = "trojan" nocase
        $threat7 = "i hacked" nocase
        $threat8 = "your device" nocase
    condition:
        (any of ($coin*) or $wallet) and any of ($film*) and any of ($threat*)
}

rule ADVANCE_FEE
{
    meta:
        description = "offers a share of a fortune, as advance-fee fraud does"
        category = "spam"
        weight = 6
        views = "raw text"
    strings:
        $who1 = "next of kin" nocase
        $who2 = "late husband" nocase
        $who3 = "deceased client" nocase
        $who4 = "deceased customer" nocase
        $who5 = "barrister" nocase
        $who6 = "diplomat" nocase
        $who7 = "beneficiary" nocase
        $who8 = "former president" nocase
        $who9 = "foreign partner" nocase
        $sum1 = "million dollars" nocase
        $sum2 = "million united states dollars" nocase
        $sum3 = "million us dollars" nocase
        $sum4 = /(US\$|USD|\$|GBP|EUR)\s?\d{1,3}([.,]\d{1,3}){0,3}\s?(million|m\b)/ nocase
        $sum5 = /(US\$|USD|\$)\s?\d{1,3},\d{3},\d{3}/ nocase
        $ask1 = "strictly confidential" nocase
        $ask2 = "your assistance" nocase
        $ask3 = "bank account" nocase
        $ask4 = "transfer of the" nocase
        $ask5 = "transfer the fund" nocase
        $ask6 = "this fund" nocase
        $ask7 = "the said fund" nocase
        $ask8 = "mutual benefit" nocase
        $ask9 = "confidential telephone" nocase
    condition:
        any of ($who*) and any of ($sum*) and 2 of ($ask*)
}

rule LOTTERY_PRIZE
{
    meta:
        description = "announces a lottery prize or donation that must be claimed"
        category = "spam"
        weight = 6
        views = "raw text"
    strings:
        $a = "lottery" nocase
        $b = "winning number" nocase
        $c = "claims agent" nocase
        $d = "claim your prize" nocase
        $e = "your email address was selected" nocase
        $f = "has won" nocase
        $g = "donation of" nocase
        $h = "you have been selected" nocase
        $sum = /(US\$|USD|\$|GBP|EUR|£|€)\s?\d{1,3}([.,]\d{3}){1,3}/ nocase
    condition:
        $sum and 3 of ($a, $b, $c, $d, $e, $f, $g, $h)
}

rule MAILBOX_THREAT
{
    meta:
        description = "threatens to close the mailbox unless a link is followed"
        category = "phish"
        weight = 5
        views = "raw text"
    strings:
        $box1 = "mailbox" nocase
        $box2 = "mail box" nocase
        $box3 = "email account" nocase
        $box4 = "webmail" nocase
        $box5 = "office 365" nocase
        $box6 = "outlook web" nocase
        $box7 = "your password" nocase
        $state1 = "quota" nocase
        $state2 = "will expire" nocase
        $state3 = "has expired" nocase
        $state4 = "expires today" nocase
        $state5 = "will be deactivated" nocase
        $state6 = "will be suspended" nocase
        $state7 = "storage limit" nocase
        $state8 = "storage is full" nocase
        $state9 = "almost full" nocase
        $state10 = "will be disabled" nocase
        $state11 = "pending messages" nocase
        $state12 = "undelivered messages" nocase
        $state13 = "unable to receive" nocase
        $act1 = "click here" nocase
        $act2 = "click below" nocase
        $act3 = "keep same password" nocase
        $act4 = "keep current password" nocase
        $act5 = "verify your" nocase
        $act6 = "re-validate" nocase
        $act7 = "upgrade now" nocase
        $act8 = "update now" nocase
        $act9 = "release messages" nocase
        $act10 = "review messages" nocase
        $act11 = "use the button below" nocase
        $act12 = "confirm your" nocase
    condition:
        any of ($box*) and any of ($state*) and any of ($act*)
}

rule ACCOUNT_THREAT
{
    meta:
        description = "threatens to limit an account unless details are confirmed"
        category = "phish"
        weight = 5
        views = "raw text"
    strings:
        $state1 = "account has been limited" nocase
        $state2 = "account has been suspended" nocase
        $state3 = "account has been locked" nocase
        $state4 = "account will be suspended" nocase
        $state5 = "account will be closed" nocase
        $state6 = "unusual activity" nocase
        $state7 = "unusual sign-in" nocase
        $state8 = "unusual sign in" nocase
        $state9 = "suspicious activity" nocase
        $state10 = "unauthorized access" nocase
        $state11 = "unauthorised access" nocase
        $state12 = "on hold" nocase
        $state13 = "payment method" nocase
        $act1 = "confirm your identity" nocase
        $act2 = "confirm your account" nocase
        $act3 = "verify your account" nocase
        $act4 = "verify your identity" nocase
        $act5 = "update your billing" nocase
        $act6 = "update your payment" nocase
        $act7 = "restore your account" nocase
        $act8 = "restore access" nocase
        $act9 = "verify your information" nocase
        $act10 = "report the user" nocase
        $link = /href\s?=|https?:\/\// nocase
    condition:
        $link and any of ($state*) and any of ($act*)
}

rule PARCEL_FEE
{
    meta:
        description = "asks for a small fee before a parcel is delivered"
        category = "phish"
        weight = 5
        views = "raw text"
    strings:
        $parcel1 = "your parcel" nocase
        $parcel2 = "your package" nocase
        $parcel3 = "your shipment" nocase
        $parcel4 = "tracking number" nocase
        $state1 = "could not be delivered" nocase
        $state2 = "delivery failed" nocase
        $state3 = "is on hold" nocase
        $state4 = "waiting for delivery" nocase
        $state5 = "is waiting" nocase
        $state6 = "unpaid" nocase
        $fee1 = "customs" nocase
        $fee2 = "shipping fee" nocase
        $fee3 = "delivery fee" nocase
        $fee4 = "confirm the payment" nocase
        $fee5 = "reschedule" nocase
        $fee6 = "confirm your delivery" nocase
        $fee7 = "confirm your address" nocase
    condition:
        any of ($parcel*) and any of ($state*) and any of ($fee*)
}

rule QR_LURE
{
    meta:
        description = "asks to scan a QR code to keep access"
        category = "phish"
        weight = 5
        views = "raw text"
    strings:
        $qr1 = "scan the qr" nocase
        $qr2 = "scan this qr" nocase
        $qr3 = "scan the code" nocase
        $qr4 = "qr code below" nocase
        $qr5 = "scan qr code" nocase
        $why1 = "multi-factor" nocase
        $why2 = "multifactor" nocase
        $why3 = "authenticator" nocase
        $why4 = "2fa" nocase fullword
        $why5 = "password" nocase
        $why6 = "your account" nocase
        $why7 = "payroll" nocase
        $why8 = "review document" nocase
        $now1 = "within 24 hours" nocase
        $now2 = "within 48 hours" nocase
        $now3 = "immediately" nocase
        $now4 = "expire" nocase
        $now5 = "mandatory" nocase
    condition:
        any of ($qr*) and any of ($why*) and any of ($now*)
}

rule PAYROLL_CHANGE
{
    meta:
        description = "asks to change where salary or invoices are paid"
        category = "phish"
        weight = 4
        views = "raw text"
    strings:
        $a1 = "direct deposit" nocase
        $a2 = "bank details" nocase
        $a3 = "banking details" nocase
        $a4 = "account details" nocase
        $b1 = "change my" nocase
        $b2 = "update my" nocase
        $b3 = "new bank account" nocase
        $b4 = "our new account" nocase
        $c1 = "next payroll" nocase
        $c2 = "next pay" nocase
        $c3 = "payroll" nocase
        $c4 = "before the next" nocase
        $c5 = "outstanding invoice" nocase
    condition:
        any of ($a*) and any of ($b*) and any of ($c*)
}

rule GIFT_CARD_REQUEST
{
    meta:
        description = "asks for gift cards on behalf of a superior"
        category = "phish"
        weight = 5
        views = "raw text"
    strings:
        $card1 = "gift card" nocase
        $card2 = "itunes card" nocase
        $card3 = "steam card" nocase
        $card4 = "google play card" nocase
        $ask1 = "are you available" nocase
        $ask2 = "are you free" nocase
        $ask3 = "scratch the" nocase
        $ask4 = "send me the codes" nocase
        $ask5 = "pictures of the" nocase
        $ask6 = "in a meeting" nocase
        $ask7 = "i will reimburse" nocase
        $ask8 = "purchase some" nocase
    condition:
        any of ($card*) and 2 of ($ask*)
}

rule TAX_REFUND
{
    meta:
        description = "promises a tax refund behind a link"
        category = "phish"
        weight = 5
        views = "raw text"
    strings:
        $who1 = "hmrc" nocase fullword
        $who2 = "hm revenue" nocase
        $who3 = "gov.uk" nocase
        $refund1 = "tax refund" nocase
        $refund2 = "tax rebate" nocase
        $refund3 = "council tax" nocase
        $act1 = "claim your" nocase
        $act2 = "click the link" nocase
        $act3 = "click here" nocase
        $act4 = "submit the" nocase
    condition:
        any of ($who*) and any of ($refund*) and any of ($act*)
}

rule REFUND_CALL_SCAM
{
    meta:
        description = "is a false invoice that asks to telephone to cancel"
        category = "phish"
        weight = 5
        views = "raw text"
    strings:
        $brand1 = "geek squad" nocase
        $brand2 = "norton" nocase fullword
        $brand3 = "mcafee" nocase fullword
        $brand4 = "paypal" nocase fullword
        $brand5 = "best buy" nocase
        $money1 = "has been renewed" nocase
        $money2 = "auto-renew" nocase
        $money3 = "will be charged" nocase
        $money4 = "has been charged" nocase
        $money5 = "will be debited" nocase
        $money6 = "invoice" nocase
        $call1 = /call (us|our)[^\n]{0,60}\+?1?[ (.-]{0,3}8\d\d[ ).-]{1,3}\d{3}[ .-]\d{4}/ nocase
        $call2 = /(cancel|refund|dispute)[^\n]{0,120}\+?1?[ (.-]{0,3}8\d\d[ ).-]{1,3}\d{3}[ .-]\d{4}/ nocase
    condition:
        any of ($brand*) and any of ($money*) and any of ($call*)
}
