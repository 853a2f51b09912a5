#!/usr/bin/env bash
# The one entry point: ./build.sh VERB. Alone it lists its verbs. Installs what it needs; safe to repeat.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
export PYTHONSAFEPATH=1 PIP_DISABLE_PIP_VERSION_CHECK=1
VENV=.venv
PY=$VENV/bin/python
STAMPS=build/stamps

say() { printf '%s\n' "mxward: $*" >&2; }
die() { say "$*"; exit 1; }

# need_apt PACKAGE... : Debian packages, installed when we may, named clearly when we may not.
need_apt() {
    local missing=() p
    for p in "$@"; do
        dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p")
    done
    [ ${#missing[@]} -eq 0 ] && return 0
    local sudo=()
    if [ "$(id -u)" -ne 0 ]; then
        if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then sudo=(sudo -n)
        else say "Debian packages missing: ${missing[*]}"; say "ask an administrator for: apt-get install ${missing[*]}"; return 1; fi
    fi
    say "installing Debian packages: ${missing[*]}"
    mkdir -p build
    # No daemon of these packages is started: tests start their own on free loopback ports.
    local policy=/usr/sbin/policy-rc.d made=0
    if [ ! -e $policy ]; then printf '#!/bin/sh\nexit 101\n' | "${sudo[@]}" tee $policy >/dev/null && "${sudo[@]}" chmod 755 $policy && made=1; fi
    local rc=0
    { "${sudo[@]}" apt-get update -qq && "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >build/apt.log 2>&1 || rc=$?
    [ $made -eq 1 ] && "${sudo[@]}" rm -f $policy
    [ $rc -eq 0 ] || { tail -n 20 build/apt.log >&2; say "apt-get failed (log: build/apt.log)"; return 1; }
}

find_python() {
    local p
    for p in "${PYTHON:-}" python3.11 python3.12 python3.13 python3; do
        [ -n "$p" ] && command -v "$p" >/dev/null && "$p" -c 'import sys; sys.exit(not ((3,11) <= sys.version_info < (3,14)))' 2>/dev/null && { command -v "$p"; return; }
    done
    return 1
}

ensure_tools() {
    command -v gcc >/dev/null || need_apt gcc libc6-dev || die "a C compiler is needed"
    PYTHON3=$(find_python) || { need_apt python3 python3-venv python3-dev && PYTHON3=$(find_python); } || die "Python 3.11 or newer is needed"
    "$PYTHON3" -c 'import ensurepip, venv' 2>/dev/null || need_apt python3-venv || die "python3-venv is needed"
    local inc; inc=$("$PYTHON3" -c 'import sysconfig; print(sysconfig.get_paths()["include"])')
    [ -e "$inc/Python.h" ] || need_apt python3-dev || die "the Python headers (python3-dev) are needed"
    [ -e /usr/include/pcre2.h ] || need_apt libpcre2-dev || die "PCRE2 (libpcre2-dev) is needed"
}

# fresh STAMP FILE... : true when none of the files changed since `mark STAMP`.
sum_of() { cat "$@" 2>/dev/null | sha256sum | cut -d' ' -f1; }
fresh() { local s=$1; shift; [ -e "$STAMPS/$s" ] && [ "$(cat "$STAMPS/$s")" = "$(sum_of "$@")" ]; }
mark() { local s=$1; shift; mkdir -p $STAMPS; sum_of "$@" >"$STAMPS/$s"; }

# Shared libraries that Python packages load by name.
ensure_libs() {
    ldconfig -p | grep -q 'libarchive\.so\.13' || need_apt libarchive13 || die "libarchive (libarchive13) is needed"
}

ensure_env() { # ensure_env base|dev
    ensure_libs
    if ! [ -x $PY ]; then
        ensure_tools
        say "making the environment in $VENV"
        "$PYTHON3" -m venv $VENV
        rm -rf $STAMPS/env-* $STAMPS/ext-* $STAMPS/install
    fi
    local files=(requirements/base.txt requirements/build.txt)
    [ "$1" = dev ] && files+=(requirements/dev.txt)
    fresh "env-$1" "${files[@]}" && return 0
    say "installing Python packages ($1)"
    mkdir -p build
    local args=() f
    for f in "${files[@]}"; do args+=(-r "$f"); done
    $VENV/bin/pip install -q --require-hashes "${args[@]}" >build/pip.log 2>&1 || { tail -n 20 build/pip.log >&2; die "pip failed (log: build/pip.log)"; }
    mark "env-$1" "${files[@]}"
    [ "$1" = dev ] && mark env-base requirements/base.txt requirements/build.txt
    return 0
}

ensure_ext() {
    local sources=(setup.py pyproject.toml pyx/*.pyx pyx/*.pxd pyx/*.h bindings/*.pyx bindings/*.pxd)
    shopt -s nullglob; sources=(setup.py pyproject.toml pyx/*.pyx pyx/*.pxd pyx/*.h bindings/*.pyx bindings/*.pxd); shopt -u nullglob
    if ! fresh ext-release "${sources[@]}" || ! compgen -G 'pyx/*.so' >/dev/null; then
        ensure_tools
        say "building the kernels (about a minute)"
        $PY setup.py -q build_ext --inplace -j "$(nproc)" >build/ext.log 2>&1 || { tail -n 40 build/ext.log >&2; die "the build failed (log: build/ext.log)"; }
        mark ext-release "${sources[@]}"
    fi
    if ! fresh install setup.py pyproject.toml || ! [ -x $VENV/bin/mxward ]; then
        MXWARD_BUILD=none $VENV/bin/pip install -q --no-deps --no-build-isolation -e . >build/install.log 2>&1 || { tail -n 20 build/install.log >&2; die "installation failed (log: build/install.log)"; }
        mark install setup.py pyproject.toml
    fi
}

# Debian packages that the integration tests start as real peers; a missing one skips its tests by name.
TEST_PACKAGES="postfix dovecot-lmtpd dovecot-imapd postgresql-15 swaks libnet-ssleay-perl chromium strace valgrind minisign spamassassin rspamd libreoffice-writer-nogui libreoffice-calc-nogui libreoffice-impress-nogui poppler-utils clamav-daemon c-icap libc-icap-mod-virus-scan tesseract-ocr 7zip libarchive-tools genisoimage mtools dosfstools exfatprogs ntfs-3g gcab msitools ncompress lzip"

verb_build() { ensure_env base; ensure_ext; say "ready: $VENV/bin/mxward"; }

verb_run() {
    ensure_env base; ensure_ext
    local data=${MXWARD_DATA:-$PWD/data} a
    for a in "$@"; do case $a in --data|--data=*) data=; ;; esac; done
    exec $VENV/bin/mxward run ${data:+--data "$data"} "$@"
}

verb_lint() {
    ensure_env dev; ensure_ext
    PATH=$PWD/$VENV/bin:$PATH bash .ci/lint.sh
}

verb_test() {
    ensure_env dev; ensure_ext
    # shellcheck disable=SC2086
    need_apt $TEST_PACKAGES || say "tests that need the packages above will be skipped"
    PATH=$PWD/$VENV/bin:$PATH bash .ci/test.sh "$@"
}

verb_bench() { ensure_env dev; ensure_ext; need_apt valgrind postfix || say "benchmarks without these tools are left out"; PYTHONPATH=$PWD:$PWD/tests/lib PATH=$PWD/$VENV/bin:$PATH $PY -m bench "$@"; }
verb_asan() { ensure_env dev; ensure_ext; PATH=$PWD/$VENV/bin:$PATH bash tests/fuzz/asan.sh "$@"; }
verb_fuzz() { ensure_env dev; ensure_ext; PATH=$PWD/$VENV/bin:$PATH bash tests/fuzz/fuzz.sh "${1:-60}"; }
verb_package() { ensure_env dev; PATH=$PWD/$VENV/bin:$PATH bash deploy/package.sh "$@"; }
verb_campaign() { ensure_env dev; ensure_ext; PYTHONPATH=$PWD:$PWD/tests/lib PATH=$PWD/$VENV/bin:$PATH $PY -m mxtest.campaign "$@"; }

usage() {
    cat <<'USAGE'
usage: ./build.sh VERB [ARGUMENTS]

  build               environment and extensions only
  run [OPTIONS]       set up and start the gateway (options of "mxward run"; data in ./data)
  test [PYTEST ARGS]  everything CI runs: lint, tests, a short benchmark gate
  bench [NAME]        benchmarks and gate
  lint                format, types, imports, spelling
  asan                the suite under AddressSanitizer and UBSan
  fuzz [SECONDS]      fuzz every kernel (60 seconds in all)
  campaign [NAME]     long fault campaigns; alone it lists them
  package             sdist and wheel, tried in a fresh environment
USAGE
}

case "${1:-}" in
    build|run|test|bench|lint|asan|fuzz|package|campaign) v=$1; shift; "verb_$v" "$@" ;;
    ""|-h|--help|help) usage ;;
    *) usage >&2; die "no such verb: $1" ;;
esac
