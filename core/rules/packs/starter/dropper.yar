// Scripts and shortcuts that fetch and run something else, and pages that unpack a file inside the browser.

rule LNK_RUNS_SHELL
{
    meta:
        description = "is a shortcut that runs a command interpreter"
        category = "malware"
        weight = 15
        views = "part"
    strings:
        $lnk = { 4C 00 00 00 01 14 02 00 00 00 00 00 C0 00 00 00 00 00 00 46 }
        $a = "powershell" nocase ascii wide
        $b = "cmd.exe" nocase ascii wide
        $c = "mshta" nocase ascii wide
        $d = "wscript" nocase ascii wide
        $e = "cscript" nocase ascii wide
        $f = "rundll32" nocase ascii wide
        $g = "regsvr32" nocase ascii wide
        $h = "certutil" nocase ascii wide
        $i = "curl " nocase ascii wide
        $j = "http://" nocase ascii wide
        $k = "https://" nocase ascii wide
    condition:
        $lnk at 0 and any of ($a, $b, $c, $d, $e, $f, $g, $h, $i, $j, $k)
}

rule HTML_SMUGGLING
{
    meta:
        description = "is a page that puts together a file and saves it to the computer"
        category = "malware"
        weight = 15
        views = "raw part"
    strings:
        $decode1 = "atob(" nocase
        $decode2 = "charCodeAt" nocase
        $decode3 = "fromCharCode" nocase
        $decode4 = "Uint8Array" nocase
        $blob = "Blob(" nocase
        $save1 = "msSaveOrOpenBlob" nocase
        $save2 = "msSaveBlob" nocase
        $save3 = "createObjectURL" nocase
        $save4 = ".download" nocase
        $click = ".click()" nocase
        $script = "<script" nocase
    condition:
        $script and $blob and any of ($decode*) and (any of ($save1, $save2) or ($save3 and any of ($save4, $click)))
}

rule HTML_DATA_DOWNLOAD
{
    meta:
        description = "is a page with a whole file inside a link"
        category = "attachment"
        weight = 5
        views = "raw part"
    strings:
        $a = /href\s?=\s?["']data:application\/(zip|octet-stream|x-msdownload|x-zip-compressed|vnd)[^"']{0,80};base64,/ nocase
    condition:
        $a
}

rule HTML_SCRIPT_UNPACKS
{
    meta:
        description = "is a page whose script unpacks itself before it runs"
        category = "attachment"
        weight = "4.5"
        views = "part"
    strings:
        $script = "<script" nocase
        $a = "document.write(unescape(" nocase
        $b = "document.write(atob(" nocase
        $c = "eval(unescape(" nocase
        $d = "eval(atob(" nocase
        $e = "eval(String.fromCharCode" nocase
        $f = "document.write(decodeURIComponent(escape(atob" nocase
        $g = /_0x[0-9a-f]{4,6}\(0x[0-9a-f]{1,4}\)/
    condition:
        $script and (any of ($a, $b, $c, $d, $e, $f) or #g > 20)
}

rule HTML_REFRESH_ONLY
{
    meta:
        description = "is an attached page that only leads to another"
        category = "phish"
        weight = 4
        views = "part"
    strings:
        $html = "<html" nocase
        $meta = /<meta[^>]{0,80}http-equiv\s?=\s?["']?refresh[^>]{0,80}url\s?=/ nocase
        $script = /(window|document|self|top)?\.?location(\.href|\.replace\()?\s?=?\s?\(?["']https?:/ nocase
    condition:
        filesize < 4096 and filename != "" and $html and any of ($meta, $script)
}

rule HTML_CREDENTIAL_FORM
{
    meta:
        description = "is an attached page that asks for a password and sends it away"
        category = "phish"
        weight = 7
        views = "part"
    strings:
        $form = /<form[^>]{0,400}action\s?=\s?["']?https?:/ nocase
        $password = /type\s?=\s?["']?password/ nocase
        $post1 = "$.ajax(" nocase
        $post2 = "XMLHttpRequest" nocase
        $post3 = "fetch(" nocase
        $post4 = "api.telegram.org" nocase
    condition:
        filename != "" and $password and ($form or any of ($post*))
}

rule SCRIPT_DOWNLOADS_AND_RUNS
{
    meta:
        description = "is a script that fetches a program and runs it"
        category = "malware"
        weight = 15
        views = "part"
    strings:
        $fetch1 = "MSXML2.XMLHTTP" nocase
        $fetch2 = "WinHttp.WinHttpRequest" nocase
        $fetch3 = "Microsoft.XMLHTTP" nocase
        $fetch4 = "DownloadString" nocase
        $fetch5 = "DownloadFile" nocase
        $fetch6 = "Invoke-WebRequest" nocase
        $fetch7 = "bitsadmin" nocase
        $fetch8 = "certutil -urlcache" nocase
        $run1 = "WScript.Shell" nocase
        $run2 = "Shell.Application" nocase
        $run3 = "ADODB.Stream" nocase
        $run4 = "Start-Process" nocase
        $run5 = "IEX" fullword
        $run6 = "Invoke-Expression" nocase
        $run7 = ".ShellExecute" nocase
    condition:
        filename != "" and not content_type startswith "text/plain" and any of ($fetch*) and any of ($run*)
}

rule POWERSHELL_ENCODED
{
    meta:
        description = "starts PowerShell with a hidden command"
        category = "malware"
        weight = 15
        views = "part"
    strings:
        $a = /powershell(\.exe)?["']?\s[^\n]{0,160}-e(nc|ncodedcommand|c)?\s{1,4}[A-Za-z0-9+\/=]{40}/ nocase
        $b = /powershell(\.exe)?["']?\s[^\n]{0,80}-w(indowstyle)?\s{1,4}hidden[^\n]{0,200}(downloadstring|iex|frombase64string)/ nocase
    condition:
        filename != "" and any of them
}

rule HTA_RUNS_SHELL
{
    meta:
        description = "is an HTML application that runs programs"
        category = "malware"
        weight = 15
        views = "part"
    strings:
        $hta = "<hta:application" nocase
        $script = "<script" nocase
        $run1 = "WScript.Shell" nocase
        $run2 = "Shell.Application" nocase
        $run3 = "powershell" nocase
        $run4 = "GetObject(" nocase
    condition:
        ($hta or extension == ".hta") and $script and any of ($run*)
}

rule BATCH_DROPPER
{
    meta:
        description = "is a command file that fetches or unpacks a program"
        category = "malware"
        weight = 15
        views = "part"
    strings:
        $batch = "@echo off" nocase
        $a = "powershell" nocase
        $b = "certutil" nocase
        $c = "bitsadmin" nocase
        $d = "curl " nocase
        $url = /https?:\/\//
    condition:
        $batch in (0..64) and $url and any of ($a, $b, $c, $d)
}

rule SVG_SCRIPT
{
    meta:
        description = "is a picture that runs a script"
        category = "attachment"
        weight = 6
        views = "part"
    strings:
        $svg = "<svg" nocase
        $script = "<script" nocase
        $a = "location" nocase
        $b = "atob(" nocase
        $c = "eval(" nocase
        $d = "fromCharCode" nocase
        $foreign = "<foreignObject" nocase
        $form = "<form" nocase
    condition:
        $svg in (0..1024) and (($script and any of ($a, $b, $c, $d)) or ($foreign and $form))
}

rule INTERNET_SHORTCUT_FILE
{
    meta:
        description = "is an internet shortcut that opens a file on a foreign server"
        category = "malware"
        weight = 15
        views = "part"
    strings:
        $head = "[InternetShortcut]" nocase
        $file = /URL\s?=\s?(file:|\\\\)/ nocase
        $webdav = /URL\s?=\s?\S{0,100}@(SSL|80|443|8080)\\/ nocase
    condition:
        $head in (0..64) and any of ($file, $webdav)
}

rule DISK_IMAGE_WITH_PROGRAM
{
    meta:
        description = "is a disk image that carries a program, script or shortcut"
        category = "malware"
        weight = 15
        views = "part"
    strings:
        $iso = "CD001"
        $a = /[\w-]{1,64}\.(EXE|DLL|LNK|JS|VBS|BAT|CMD|HTA|SCR|WSF|PS1);1/
        $b = /\.\x00(e\x00x\x00e|l\x00n\x00k|j\x00s|v\x00b\x00s|b\x00a\x00t|h\x00t\x00a|s\x00c\x00r)\x00/ nocase
    condition:
        $iso at 0x8001 and any of ($a, $b)
}
