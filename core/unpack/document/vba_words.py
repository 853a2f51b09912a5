"""What a macro's source says: names that run by themselves, calls that reach out, ways to hide. Data and one function.

A guide for people and policies, no detector of malware: that is what rules on the source are for.
"""

from __future__ import annotations

import re
from typing import Final

from mxward.core.unpack.document.fields import is_dde_formula
from mxward.core.unpack.work import Item, Work

_AUTO: Final = re.compile(
    r"(?im)^[ \t]{0,80}(?:(?:public|private|friend|static)\s{1,20}){0,2}(?:sub|function)\s{1,20}("
    r"auto_?(?:open|exec|close|new|exit|activate|deactivate|add|remove)"
    r"|(?:document|doc)_?(?:open|close|new|beforeclose|change|beforesave|contentcontrolonenter)|newdocument"
    r"|(?:workbook|worksheet)_(?:open|activate|deactivate|beforeclose|close|calculate|windowactivate|sheetactivate|addininstall)"
    r"|slideshow\w{0,40}|onslideshowpagechange|presentation\w{0,40}open"
    r"|[a-z]\w{0,60}_(?:layout|painted|painting|gotfocus|resize|statechange|initialize|progresschange|"
    r"documentcomplete|beforenavigate2|navigatecomplete2|downloadcomplete|titlechange|filedownload)"
    r")\s{0,10}\("
)
_REACH: Final = re.compile(
    r"(?i)\bshell(?:execute\w{0,4}|\$)?\s{0,5}[(\"]|(?<![\w.])shell\s{1,5}[\w(\"]|\bwscript\.shell|\bshell\.application|\bpowershell\b"
    r"|\bcmd(?:\.exe)?\s{0,4}/[ck]\b|\bmshta\b|\brundll32\b|\bregsvr32\b|\bcertutil\b|\bbitsadmin\b|\bwmic\b"
    r"|\burldownloadtofile|\bxmlhttp\b|\bwinhttp|\binternetexplorer\.application|\badodb\.stream\b|\bsavetofile\b"
    r"|\bcreatetextfile\b|\bopen\s[^\r\n]{1,200}\sfor\s{1,5}(?:output|append|binary|random)\b|\bregwrite\b|\bfilecopy\s"
    r"|\bdeclare\s{1,5}(?:ptrsafe\s{1,5})?(?:sub|function)\s[^\r\n]{1,100}\slib\b|\bvirtualalloc|\bcreatethread\b"
    r"|\brtlmovememory\b|\bwinmgmts|\bwin32_process\b|\bexecuteexcel4macro\b|\bmacscript\b|\bappletask\b|\bapplescripttask\b"
    r"|\bsendkeys\b|\bddeinitiate\b|\bfollowhyperlink\b|\bcreateprocess|\bwriteprocessmemory\b|\bscheduled?\.service\b"
    r"|\bvbproject\b|\bvbcomponents\b"
)
_HIDES: Final = re.compile(
    r"(?i)(?:chrw?\$?\s?\(\s?[\w&*+/^-]{1,20}\s?\)\s?[&+]\s?){4}|\bstrreverse\s?\(|\bcallbyname\s?\(?"
    r"|\"[A-Za-z0-9+/]{200,}={0,2}\"|\"(?:[0-9A-Fa-f]{2}){60,}\"|(?:\"[^\"\r\n]{0,3}\"\s?&\s?){8}"
    r"|\barray\s?\((?:\s?&?h?[0-9a-f]{1,3}\s?,){30}"
)


_LOOKED_AT: Final = 1 << 20  # characters of one module; nobody writes more, and each costs up to 1 us


def tell_words(item: Item, work: Work, source: str) -> None:
    """Tell what one module's source says. Args: source: as the editor shows it; long lines may be broken by " _"."""
    work.purse.check_time()
    if len(source) > _LOOKED_AT:
        work.find(item, "OFFICE_MACRO_HIDES")
    joined = re.sub(r"[ \t]_\r?\n\s{0,200}", " ", source[:_LOOKED_AT])
    if _AUTO.search(joined):
        work.find(item, "OFFICE_MACRO_STARTS_ALONE")
    if _REACH.search(joined):
        work.find(item, "OFFICE_MACRO_REACHES_OUT")
    if _HIDES.search(joined):
        work.find(item, "OFFICE_MACRO_HIDES")
    if is_dde_formula(joined):
        work.find(item, "OFFICE_DDE")
