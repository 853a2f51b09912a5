"""Chromium as the judge of what a reader sees: the shown words of HTML documents, by computed style.

One headless process reads a batch of documents, each in a frame of its own without scripts, and without any network.
Words count as hidden by the same definition as in pyx/html_style.h, but on what the browser computed.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

_SCRIPT = r"""
const near = (a, b) => a && b && [0, 1, 2].every(i => Math.abs(a[i] - b[i]) < 16);
const numbers = text => text.match(/[\d.]+/g).map(Number);
const channels = text => { const m = numbers(text); return m.length > 3 && m[3] < 0.06 ? null : m; };
function shown(element, view) {
  let behind = null;
  const own = view.getComputedStyle(element);
  if (own.visibility !== "visible" || parseFloat(own.fontSize) <= 2) return false;
  if (parseFloat(own.textIndent) <= -400) return false;
  for (let e = element; e; e = e.parentElement) {
    const style = view.getComputedStyle(e);
    if (style.display === "none" || parseFloat(style.opacity) <= 0.05) return false;
    const absolute = style.position === "absolute" || style.position === "fixed";
    if (absolute && (parseFloat(style.left) <= -400 || parseFloat(style.top) <= -400)) return false;
    if (parseFloat(style.marginLeft) <= -400) return false;
    const small = e.offsetWidth <= 1 || e.offsetHeight <= 1;
    if (style.overflow !== "visible" && style.overflow !== "auto" && small && !/^(inline|table.*)$/.test(style.display)
        && e !== e.ownerDocument.body && e !== e.ownerDocument.documentElement) return false;
    if (behind === null && style.backgroundImage !== "none") behind = "picture";
    if (behind === null) behind = channels(style.backgroundColor);
  }
  const colour = channels(own.color);
  if (colour === null) return false;
  return behind === "picture" || !near(colour, behind || [255, 255, 255]);
}
function read(html) {
  const frame = document.createElement("iframe");
  frame.sandbox = "allow-same-origin";
  frame.width = 1000; frame.height = 800;
  document.body.append(frame);
  const inner = frame.contentDocument, view = frame.contentWindow;
  inner.open(); inner.write(html); inner.close();
  let text = "";
  const walk = inner.createTreeWalker(inner.documentElement, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const parent = walk.currentNode.parentElement;
    if (!/^(SCRIPT|STYLE|TITLE|HEAD|TEXTAREA|IFRAME)$/.test(parent.tagName) && shown(parent, view))
      text += walk.currentNode.data;
  }
  frame.remove();
  return text;
}
const decoded = text => new TextDecoder().decode(Uint8Array.from(atob(text), c => c.charCodeAt(0)));
const found = DOCUMENTS.map(d => { try { return read(decoded(d)); } catch (error) { return "failed: " + error; } });
const bytes = new TextEncoder().encode(JSON.stringify(found));
let binary = "";
for (const byte of bytes) binary += String.fromCharCode(byte);
document.documentElement.innerHTML = "<body>RESULT:" + btoa(binary) + ":END</body>";
"""
_RESULT = re.compile(rb"RESULT:([A-Za-z0-9+/=]*):END")
_SAME = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2013": "-", "\u2014": "-"})
_UNSEEN = re.compile("[\\s\u00ad\u200b-\u200f\u2060\u034f\ufeff\ufffd\x00-\x1f]+")


def need() -> str:
    """Chromium's path; skips the calling test when there is none."""
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("chromium is not installed")
    return path


def shown_text(documents: Sequence[bytes], timeout: float = 120) -> list[str]:
    """The words of each document (UTF-8) that the browser shows, as it has them."""
    program = need()
    coded = json.dumps([base64.b64encode(document).decode() for document in documents])
    with tempfile.TemporaryDirectory(prefix="mxward-browser-") as folder:
        page = Path(folder) / "page.html"
        page.write_text(f"<!doctype html><body><script>const DOCUMENTS = {coded};{_SCRIPT}</script></body>")
        done = subprocess.run(
            [program, "--headless", "--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND",
             "--proxy-server=127.0.0.1:9", f"--user-data-dir={folder}/profile", "--dump-dom", page.as_uri()],
            capture_output=True, timeout=timeout, check=True,
        )  # fmt: skip
    found = _RESULT.search(done.stdout)
    assert found is not None, done.stderr[-2000:]
    texts: list[str] = json.loads(base64.b64decode(found[1]))
    return texts


def comparable(text: str) -> str:
    """Text without white space and what shows nothing, signs in the plain form that readable text has."""
    return _UNSEEN.sub("", text.replace("\u2026", "...").translate(_SAME))
