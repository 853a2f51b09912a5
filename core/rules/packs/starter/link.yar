// Addresses in mail: look-alikes of the health service, and hosts that phishing pages live on.

rule NHS_LOOKALIKE
{
    meta:
        description = "has a link to a host that imitates the NHS"
        category = "phish"
        weight = 6
        views = "raw text"
    strings:
        $a = /https?:\/\/([\w-]{1,40}\.){0,4}(nhs|nhsmail|nhs-uk|nhsuk|nhs-net)[a-z0-9-]{0,30}\.(com|org|info|xyz|top|online|site|live|co|me|shop|icu|club|app|dev)[\/:"'\s]/ nocase
        $b = /https?:\/\/[\w.-]{0,60}nhs\.(uk|net)\.[\w-]{2,40}\.[a-z]{2,10}[\/:"'\s]/ nocase
        $c = /https?:\/\/[\w.-]{0,60}nhs[._-](uk|net)[._-][\w-]{1,40}\.[a-z]{2,10}[\/:"'\s]/ nocase
    condition:
        any of them
}

rule LINK_FREE_HOSTING_LOGIN
{
    meta:
        description = "has a link to a log-in page on free hosting"
        category = "phish"
        weight = 4
        views = "raw text"
    strings:
        $host = /https?:\/\/[\w-]{3,63}\.(web\.app|firebaseapp\.com|workers\.dev|pages\.dev|r2\.dev|netlify\.app|vercel\.app|glitch\.me|000webhostapp\.com|weebly\.com|wixsite\.com|github\.io|myftpupload\.com|godaddysites\.com|ipfs\.dweb\.link|ipfs\.io|cloudfront\.net|blogspot\.com|duckdns\.org|repl\.co|square\.site|webflow\.io|azurewebsites\.net)\// nocase
        $word1 = "password" nocase
        $word2 = "verify" nocase
        $word3 = "mailbox" nocase
        $word4 = "sign in" nocase
        $word5 = "log in" nocase
        $word6 = "login" nocase
        $word7 = "suspended" nocase
        $word8 = "expire" nocase
    condition:
        $host and 2 of ($word*)
}

rule LINK_RECIPIENT_IN_FRAGMENT
{
    meta:
        description = "has a link that carries an address behind a # sign, as log-in traps do"
        category = "phish"
        weight = 4
        views = "raw text"
    strings:
        $a = /https?:\/\/[^\s"'<>#]{4,200}#[\w.+-]{1,64}@[\w-]{1,64}\.[\w.-]{2,64}["'\s>]/
    condition:
        $a
}

rule LINK_OPEN_REDIRECT
{
    meta:
        description = "has a link that uses a well-known site to lead elsewhere"
        category = "phish"
        weight = 2
        views = "raw text"
    strings:
        $a = /https?:\/\/(www\.)?google\.[a-z.]{2,6}\/(url\?(sa=t&)?(q|url)=|amp\/s\/)https?/ nocase
        $b = /https?:\/\/[\w.-]{0,40}(bing|youtube|linkedin|facebook)\.com\/[^\s"'<>]{0,60}(redirect|ck\/a|slink)\?/ nocase
        $c = /https?:\/\/[\w.-]{1,60}doubleclick\.net\/[^\s"'<>]{0,200}(adurl|url)=https?/ nocase
    condition:
        any of them
}

rule LINK_SHORTENER_CREDENTIAL
{
    meta:
        description = "hides where a link leads and speaks of an account"
        category = "phish"
        weight = 3
        views = "raw text"
    strings:
        $short = /https?:\/\/(bit\.ly|tinyurl\.com|t\.ly|is\.gd|cutt\.ly|rebrand\.ly|shorturl\.at|rb\.gy|ow\.ly|t\.co|urlz\.fr|s\.id|qrco\.de)\/[\w-]{3,24}/ nocase
        $word1 = "your account" nocase
        $word2 = "your password" nocase
        $word3 = "verify" nocase
        $word4 = "suspended" nocase
        $word5 = "payment" nocase
        $word6 = "expired" nocase
    condition:
        $short and 2 of ($word*)
}

rule CRYPTO_WALLET
{
    meta:
        description = "names a cryptocurrency wallet to pay to"
        category = "spam"
        weight = "1.5"
        views = "raw text"
    strings:
        $wallet = /\bbc1q[a-z0-9]{38,58}\b/
        $word1 = "bitcoin" nocase
        $word2 = "btc" nocase fullword
        $word3 = "wallet" nocase
    condition:
        $wallet and any of ($word*)
}
