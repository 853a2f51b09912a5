// RTF, PDF, OneNote: what documents do that letters do not.

rule RTF_EQUATION
{
    meta:
        description = "is an RTF document with an equation object, as exploits use"
        category = "malware"
        weight = 15
        views = "raw part"
    strings:
        $rtf = "{\\rt"
        $name1 = "4571756174696f6e2e33" nocase
        $name2 = "0002CE02" nocase
        $class = /\\objclass\s{1,4}Equation\.[23]/ nocase
        $object = "\\objdata"
    condition:
        $rtf in (0..256) and $object and ($class or any of ($name*))
}

rule RTF_OBJUPDATE
{
    meta:
        description = "is an RTF document whose embedded object loads by itself"
        category = "attachment"
        weight = 6
        views = "part"
    strings:
        $rtf = "{\\rt"
        $update = "\\objupdate"
        $data = "\\objdata"
    condition:
        $rtf in (0..256) and $update and $data
}

rule RTF_PACKAGE
{
    meta:
        description = "is an RTF document that carries another file"
        category = "attachment"
        weight = "3.5"
        views = "part"
    strings:
        $rtf = "{\\rt"
        $package = /\\objclass\s{1,4}Package/ nocase
        $native = "5061636b616765" nocase
        $data = "\\objdata"
    condition:
        $rtf in (0..256) and $data and ($package or $native)
}

rule PDF_JAVASCRIPT_AUTO
{
    meta:
        description = "is a PDF that runs a script when it opens"
        category = "attachment"
        weight = "3.5"
        views = "part"
    strings:
        $pdf = "%PDF-"
        $js1 = /\/JavaScript[\s\/(<]/
        $js2 = /\/JS[\s(<]/
        $open1 = "/OpenAction"
        $open2 = /\/AA[\s<]/
    condition:
        $pdf in (0..1024) and any of ($js*) and any of ($open*)
}

rule PDF_LAUNCH
{
    meta:
        description = "is a PDF that starts a program"
        category = "malware"
        weight = 15
        views = "part"
    strings:
        $pdf = "%PDF-"
        $launch = /\/Launch[\s\/<>]/
        $target = /\/(F|Win|P)\s?(<<|\()[^)]{0,200}(cmd|powershell|mshta|\.exe|\.bat|\.scr|\.vbs)/ nocase
    condition:
        $pdf in (0..1024) and $launch and $target
}

rule PDF_EMBEDDED_PROGRAM
{
    meta:
        description = "is a PDF that carries a program or script"
        category = "attachment"
        weight = 6
        views = "part"
    strings:
        $pdf = "%PDF-"
        $file = "/EmbeddedFile"
        $name = /\((\\[0-9]{3}|[\w .-]){1,64}\.(exe|scr|js|jse|vbs|vbe|hta|bat|cmd|ps1|lnk|wsf|iso|docm|xlsm)\)/ nocase
    condition:
        $pdf in (0..1024) and $file and $name
}

rule PDF_OBFUSCATED_NAMES
{
    meta:
        description = "is a PDF that hides the names of its script objects"
        category = "attachment"
        weight = 5
        views = "part"
    strings:
        $pdf = "%PDF-"
        $a = /\/(J|#4[aA])(a|#61)?(v|#76)?(a|#61)?(S|#53)[\w#]{0,24}#[4-7][0-9a-fA-F]/
        $b = "/#4aavaScript" nocase
    condition:
        $pdf in (0..1024) and any of ($a, $b)
}

rule ONENOTE_PROGRAM
{
    meta:
        description = "is a OneNote notebook that carries a program or script"
        category = "malware"
        weight = 15
        views = "part"
    strings:
        $one = { E4 52 5C 7B 8C D8 A7 4D AE B1 53 78 D0 29 96 D3 }
        $file = { E7 16 E3 BD 65 26 11 45 A4 C4 8D 4D 0B 7A 9E AC }
        $a = "WScript.Shell" nocase ascii wide
        $b = "powershell" nocase ascii wide
        $c = "<script" nocase
        $d = "This program cannot be run"
        $e = "@echo off" nocase
        $f = "CreateObject(" nocase
    condition:
        $one at 0 and $file and any of ($a, $b, $c, $d, $e, $f)
}

rule ONENOTE_EMBEDDED_FILE
{
    meta:
        description = "is a OneNote notebook that carries another file"
        category = "attachment"
        weight = "4.5"
        views = "part"
    strings:
        $one = { E4 52 5C 7B 8C D8 A7 4D AE B1 53 78 D0 29 96 D3 }
        $file = { E7 16 E3 BD 65 26 11 45 A4 C4 8D 4D 0B 7A 9E AC }
    condition:
        $one at 0 and $file
}
