"""Every allocation of the parser fails once: it must end cleanly, leak nothing and say that the table is incomplete.

The C core is compiled into a small program of its own in which the n-th allocation gives NULL.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

PROGRAM = r"""
#include <stdio.h>
#include <stdlib.h>

static long left = -1, live = 0;
static int refuse(void) { return left >= 0 && left-- == 0; }
static void* try_malloc(size_t n) { void* p = refuse() ? NULL : malloc(n); live += p != NULL; return p; }
static void* try_calloc(size_t n, size_t w) { void* p = refuse() ? NULL : calloc(n, w); live += p != NULL; return p; }
static void* try_realloc(void* old, size_t n)
{
    void* p = refuse() ? NULL : realloc(old, n);
    live += p != NULL && old == NULL;
    return p;
}
static void try_free(void* p) { live -= p != NULL; free(p); }
#define malloc try_malloc
#define calloc try_calloc
#define realloc try_realloc
#define free try_free
#include "mime_run.h"

int main(void)
{
    static unsigned char data[1 << 20];
    size_t n = fread(data, 1, sizeof data, stdin);
    long at, refused = 0;
    for (at = 0; at < 100000; at++) {
        MimeTable* t;
        left = at;
        t = mime_parse(data, n);
        if (left >= 0) { /* fewer allocations than that: every one was refused once */
            int whole = t != NULL && !t->failed;
            table_free(t);
            printf("%ld refused, %ld left, %s\n", refused, live, whole ? "whole" : "failed");
            return live != 0 || !whole;
        }
        refused++;
        if (t != NULL && !t->failed) return 2; /* a refusal went unnoticed */
        table_free(t);
        if (live != 0) return 3;
    }
    return 4;
}
"""

MESSAGES = {
    "plain": b"Subject: x\n\ny\n",
    "damaged boundary": b'Content-Type: multipart/mixed; boundary="a"b; boundary*0=c\n\n--a\n\nx\n--c\n\n'
    b'y\n--"a"b\n\nz\n',
    "many parts": b"A: b\n" * 80 + b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\nB: c\n\n=zz\n" * 40,
    "encoded message": b"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogeAoKaGVsbG8K\n",
    "encoded multipart": b"Content-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: quoted-printable\n\n"
    b"--b=\n\n\nx\n",
    "bare CR": b"Subject: x\rContent-Type: text/html\n\nx\n",
    "guess": b"Subject: x\n\n--q\nContent-Type: text/plain\n\nbegin 644 a\n#04)#\n`\nend\n--q--\n",
    "childless": b"Content-Type: multipart/mixed; boundary=b\n\nnothing here\n",
}


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    gcc = shutil.which("gcc")
    if gcc is None:
        pytest.skip("no gcc: the program with failing allocations cannot be built")
    folder = tmp_path_factory.mktemp("alloc")
    (folder / "alloc.c").write_text(PROGRAM)
    flags = ["-std=c11", "-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined", "-w"]
    out = folder / "alloc"
    subprocess.run([gcc, *flags, f"-I{repository / 'pyx'}", str(folder / "alloc.c"), "-o", str(out)], check=True)
    return out


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_every_allocation_may_fail(program: Path, name: str) -> None:
    env = {key: value for key, value in os.environ.items() if key != "LD_PRELOAD"} | {"ASAN_OPTIONS": "detect_leaks=0"}
    done = subprocess.run([program], input=MESSAGES[name], capture_output=True, env=env, check=False, timeout=60)
    assert done.returncode == 0, (done.returncode, done.stdout, done.stderr[-2000:])
    assert b" 0 left, whole" in done.stdout
