"""pyx/htmltext against Chromium: what is shown by computed style, on documents of our own and of the shared corpus."""

from __future__ import annotations

import pytest

from mxtest import browser, corpus
from mxward.core.extract.charset import decode_utf8
from mxward.pyx.htmltext import read
from mxward.pyx.mime import parse

# no font sizes in %: the browser shows nothing below 6 pixels when the size is relative, other readers do
STYLES = [
    "display:none", "visibility:hidden", "opacity:0", "font-size:0", "font-size:1px", "font-size:12px", "color:#fff",
    "color:white;background:#000", "background:#fff", "overflow:hidden;height:0", "overflow:hidden;max-height:1px",
    "overflow:hidden;width:0", "position:absolute;left:-9999px", "text-indent:-9999px",
    "margin-left:-2000px", "display:block", "color:rgba(0,0,0,0)", "visibility:visible", "color:#101010",
    "background:linear-gradient(red,blue);color:#fff", "display:inline-block;width:0;overflow:hidden",
]  # fmt: skip
SHELLS = [
    "<div style='{0}'>one<p style='{1}'>two</p>three</div>four",
    "<span style='{0}'>one<b style='{1}'>two</b>three</span>four",
    "<table cellpadding=0 style='{0}'><tr><td style='{1}'>one<td>two<tr style='{1}'><td>three</table>four",
    "<p style='{0}'>one<font color=red>two<p style='{1}'>three</font>four",
    "<!doctype html><style>.a{{{0}}} p.b{{{1}}}</style><div class='a b'>one<p class=b>two</p></div>three",
    "<ul style='padding:0;{0}'><li style='{1}'>one<li>two</ul>three<center style='{1}'>four</center>",
]
# what the pass does not follow, each seldom: scripts of layout, form controls, trees that browsers rearrange
LEAST_EQUAL = 0.95


def shown_by_us(document: bytes) -> str:
    return browser.comparable(read(document)[1].decode("utf-8", "replace"))


def test_own_documents_are_shown_as_the_browser_shows_them() -> None:
    documents = [shell.format(a, b).encode() for shell in SHELLS for a in STYLES for b in STYLES][::4]
    texts = browser.shown_text(documents)
    differing = [
        (document.decode(), shown_by_us(document), browser.comparable(text))
        for document, text in zip(documents, texts, strict=True)
        if shown_by_us(document) != browser.comparable(text)
    ]
    assert differing[:5] == []


def html_parts(every: int) -> list[bytes]:
    """HTML parts of the corpus's mail, as UTF-8, all but the large."""
    found = []
    for mail in corpus.mails(every=every):
        mime = parse(mail.folded)
        for index, part in enumerate(mime.parts):
            if part.content_type == "text/html" and mail.label != "torture":
                document = decode_utf8(mime.decode(index), part.charset, is_html=True)
                if len(document) < 60_000:
                    found.append(document)
    return found


@pytest.mark.corpus
def test_mail_is_shown_as_the_browser_shows_it() -> None:
    corpus.need()
    documents = html_parts(every=150)
    texts = browser.shown_text(documents)
    equal = sum(
        shown_by_us(document) == browser.comparable(text) for document, text in zip(documents, texts, strict=True)
    )
    assert equal >= LEAST_EQUAL * len(documents) > 0
