"""Build of the Cython kernels: mxward/pyx/*.pyx and mxward/bindings/*.pyx, one extension a file.

MXWARD_BUILD picks the flavour: release (default; the only one built in place), debug, cov, asan; none builds no kernel
(build.sh installs the tree so after it has built them in place).
Generated C goes to build/FLAVOUR/cython, so that flavours never share an object.
"""

from __future__ import annotations

import os
import sys
from glob import glob

from setuptools import Extension, setup

FLAVOUR = os.environ.get("MXWARD_BUILD", "release")
# -fno-strict-aliasing is not needed: kernels use memcpy for unaligned loads.
COMMON = [
    "-std=c11",
    "-Wall",
    "-Wextra",
    "-Wno-unused-parameter",
    "-Wno-sign-compare",
    "-Wno-unused-function",
]
FLAGS: dict[str, tuple[list[str], list[str]]] = {
    "release": (["-O3", "-fvisibility=hidden", "-g1"], []),
    "debug": (["-O0", "-g3"], []),
    "cov": (["-O0", "-g", "--coverage"], ["--coverage"]),
    "asan": (
        [
            "-O1",
            "-g",
            "-fno-omit-frame-pointer",
            "-fsanitize=address,undefined",
            "-fno-sanitize-recover=undefined",
        ],
        ["-fsanitize=address,undefined"],
    ),
}


# Native engines that a binding links to: PCRE2 (libpcre2-dev on Debian).
LIBRARIES = {"pcre2": ["pcre2-8"]}


def extensions() -> list[Extension]:
    from Cython.Build import cythonize

    if FLAVOUR not in FLAGS:
        sys.exit(f"setup.py: MXWARD_BUILD={FLAVOUR!r} is not one of {', '.join(FLAGS)}")
    sources = sorted(glob("mxward/pyx/*.pyx") + glob("mxward/bindings/*.pyx"))
    if not sources:
        sys.exit("setup.py: no kernel found under mxward/pyx; the source tree is incomplete")
    compile_args, link_args = FLAGS[FLAVOUR]
    checks = FLAVOUR != "release"
    modules = [
        Extension(
            path[: -len(".pyx")].replace("/", "."),
            [path],
            include_dirs=["pyx"] if os.path.isdir("pyx") else ["mxward/pyx"],
            libraries=LIBRARIES.get(os.path.basename(path)[: -len(".pyx")], []),
            extra_compile_args=COMMON + compile_args,
            extra_link_args=link_args,
            depends=sorted(glob("mxward/pyx/*.h") + glob("mxward/pyx/*.pxd") + glob("mxward/bindings/*.pxd")),
        )
        for path in sources
    ]
    return cythonize(
        modules,
        build_dir=f"build/{FLAVOUR}/cython",
        language_level=3,
        nthreads=0,
        quiet=True,
        compiler_directives={
            "boundscheck": checks,
            "wraparound": checks,
            "cdivision": not checks,
            "initializedcheck": checks,
            "overflowcheck": False,
            "embedsignature": True,
            "linetrace": FLAVOUR == "cov",
        },
    )


setup(ext_modules=[] if FLAVOUR == "none" else extensions())
