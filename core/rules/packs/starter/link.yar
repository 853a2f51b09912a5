// Addresses in mail: look-alikes of the health service, and hosts that phishing pages live on.

rule NHS_LOOKALIKE
{
    meta:
        description = "has a link to a host that imitates the NHS"
        category = "phish"
        weight = 6
        views = "raw text"
    strings:
        $a = /[\/.]nhs(mail|-uk|uk|-net|-[a-z0-9-]{1,30})?\.(com|org|info|xyz|top|online|site|live|co|me|shop|icu|club|app|dev)[\/:"'\s]/ nocase
        $b = /nhs\.(uk|net)\.[\w-]{2,40}\.[a-z]{2,10}[\/:"'\s]/ nocase
        $c = /nhs[_-](uk|net)[._-][\w-]{1,40}\.[a-z]{2,10}[\/:"'\s]/ nocase
        $link = "http" nocase
    condition:
        $link and any of ($a, $b, $c)
}

rule LINK_FREE_HOSTING_LOGIN
{
    meta:
        description = "has a link to a log-in page on free hosting"
        category = "phish"
        weight = 4
        views = "raw text"
    strings:
        $host1 = ".web.app/" nocase
        $host2 = ".firebaseapp.com/" nocase
        $host3 = ".workers.dev/" nocase
        $host4 = ".pages.dev/" nocase
        $host5 = ".r2.dev/" nocase
        $host6 = ".netlify.app/" nocase
        $host7 = ".vercel.app/" nocase
        $host8 = ".glitch.me/" nocase
        $host9 = ".000webhostapp.com/" nocase
        $host10 = ".weebly.com/" nocase
        $host11 = ".wixsite.com/" nocase
        $host12 = ".github.io/" nocase
        $host13 = ".myftpupload.com/" nocase
        $host14 = ".godaddysites.com/" nocase
        $host15 = ".ipfs.dweb.link/" nocase
        $host16 = ".ipfs.io/" nocase
        $host17 = ".cloudfront.net/" nocase
        $host18 = ".blogspot.com/" nocase
        $host19 = ".duckdns.org/" nocase
        $host20 = ".repl.co/" nocase
        $host21 = ".square.site/" nocase
        $host22 = ".webflow.io/" nocase
        $host23 = ".azurewebsites.net/" nocase
        $word1 = "password" nocase
        $word2 = "verify" nocase
        $word3 = "mailbox" nocase
        $word4 = "sign in" nocase
        $word5 = "log in" nocase
        $word6 = "login" nocase
        $word7 = "suspended" nocase
        $word8 = "expire" nocase
    condition:
        any of ($host*) and 2 of ($word*)
}

rule LINK_OPEN_REDIRECT
{
    meta:
        description = "has a link that uses a well-known site to lead elsewhere"
        category = "phish"
        weight = 2
        views = "raw text"
    strings:
        $a = /google\.[a-z.]{2,6}\/(url\?(sa=t&)?(q|url)=|amp\/s\/)https?/ nocase
        $b = /(bing|youtube|linkedin|facebook)\.com\/[^\s"'<>]{0,60}(redirect|ck\/a|slink)\?/ nocase
        $c = /doubleclick\.net\/[^\s"'<>]{0,200}(adurl|url)=https?/ nocase
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
        $short = /\/\/(bit\.ly|tinyurl\.com|t\.ly|is\.gd|cutt\.ly|rebrand\.ly|shorturl\.at|rb\.gy|ow\.ly|t\.co|urlz\.fr|s\.id|qrco\.de)\/[\w-]{3,24}/ nocase
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
