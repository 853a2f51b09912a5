// Office documents that run code: the combinations that droppers need, not macros as such.

rule MACRO_AUTOEXEC_SHELL
{
    meta:
        description = "holds a macro that starts by itself and runs a program"
        category = "malware"
        weight = 15
        views = "part"
    strings:
        $auto1 = "AutoOpen" nocase fullword
        $auto2 = "Auto_Open" nocase fullword
        $auto3 = "Document_Open" nocase fullword
        $auto4 = "Workbook_Open" nocase fullword
        $auto5 = "AutoExec" nocase fullword
        $auto6 = "Document_Close" nocase fullword
        $vba1 = "Attribute VB_Name" nocase
        $vba2 = "Attribut\x00e VB_Nam" nocase
        $run1 = "WScript.Shell" nocase
        $run2 = "Shell.Application" nocase
        $run3 = "powershell" nocase
        $run4 = "cmd.exe /c" nocase
        $run5 = "Win32_Process" nocase
        $run6 = "mshta" nocase fullword
        $run7 = "certutil" nocase fullword
        $run8 = "URLDownloadToFile" nocase
        $run9 = "MSXML2.XMLHTTP" nocase
        $run10 = "ADODB.Stream" nocase
    condition:
        any of ($vba*) and any of ($auto*) and any of ($run*)
}

rule MACRO_AUTOEXEC
{
    meta:
        description = "holds a macro that starts by itself"
        category = "attachment"
        weight = "3.5"
        views = "part"
    strings:
        $ole = { D0 CF 11 E0 A1 B1 1A E1 }
        $auto1 = "AutoOpen" nocase fullword
        $auto2 = "Auto_Open" nocase fullword
        $auto3 = "Document_Open" nocase fullword
        $auto4 = "Workbook_Open" nocase fullword
        $project = "_VBA_PROJECT" wide
    condition:
        $ole at 0 and $project and any of ($auto*)
}

rule MACRO_XLM
{
    meta:
        description = "holds Excel 4 macro sheets with commands that run programs"
        category = "attachment"
        weight = 5
        views = "part"
    strings:
        $ole = { D0 CF 11 E0 A1 B1 1A E1 }
        $sheet = { 85 00 ?? ?? ?? ?? ?? ?? (00 | 01 | 02) 01 }
        $exec1 = "EXEC" fullword
        $exec2 = "URLDownloadToFileA" nocase
        $exec3 = "ShellExecuteA" nocase
        $exec4 = "powershell" nocase
    condition:
        $ole at 0 and $sheet and any of ($exec*)
}

rule MACRO_VBA_PROJECT_LOOSE
{
    meta:
        description = "is a bare macro project outside a document"
        category = "attachment"
        weight = 4
        views = "part"
    strings:
        $mso = "ActiveMime"
        $dir = "VBAProject" nocase
    condition:
        $mso at 0 or ($dir and filename icontains "vbaProject")
}

rule OFFICE_DDE
{
    meta:
        description = "holds a field that starts a program when the document opens"
        category = "malware"
        weight = 15
        views = "part"
    strings:
        $field1 = /<w:(instrText|fldSimple)[^>]{0,80}>[\s"]{0,8}DDE(AUTO)?\s/ nocase
        $field2 = /\x13\s?DDE(AUTO)?\s{1,4}[A-Za-z"\\]/ nocase
        $field3 = /=(cmd|msexcel|powershell|mshta|rundll32)\|['"][^!\n]{1,200}!/ nocase
        $link = /<ddeLink[^>]{0,200}ddeService="(cmd|powershell|mshta|rundll32|certutil)"/ nocase
    condition:
        any of them
}

rule OFFICE_EXTERNAL_TEMPLATE
{
    meta:
        description = "loads a template from outside when it opens"
        category = "attachment"
        weight = 5
        views = "part"
    strings:
        $a = /relationships\/attachedTemplate"\s{1,4}Target="(https?:|file:|\\\\)/ nocase
        $b = /TargetMode="External"[^>]{0,200}attachedTemplate/ nocase
        $c = /relationships\/oleObject"[^>]{0,60}Target="(mhtml:|https?:)/ nocase
    condition:
        any of them
}

rule OFFICE_OLE_PACKAGE
{
    meta:
        description = "holds an embedded file that opens on a double click"
        category = "attachment"
        weight = "4.5"
        views = "part"
    strings:
        $ole = { D0 CF 11 E0 A1 B1 1A E1 }
        $native = "\x01\x00O\x00l\x00e\x001\x000\x00N\x00a\x00t\x00i\x00v\x00e"
        $name = /[\w .-]{1,64}\.(exe|scr|js|jse|vbs|vbe|hta|bat|cmd|ps1|lnk|wsf)\x00/ nocase
    condition:
        $ole at 0 and $native and $name
}

rule OFFICE_EQUATION_EXPLOIT
{
    meta:
        description = "holds an equation object of the kind that exploits use"
        category = "malware"
        weight = 15
        views = "part"
    strings:
        $clsid = { 02 CE 02 00 00 00 00 00 C0 00 00 00 00 00 00 46 }
        $run1 = "cmd" nocase fullword
        $run2 = "mshta" nocase
        $run3 = "WinExec" nocase
        $run4 = "http" nocase
        $stream = "Equation Native" wide
    condition:
        $clsid and $stream and any of ($run*)
}
