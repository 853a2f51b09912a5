# Sourced by fuzz.sh and asan.sh: the package built with AddressSanitizer and UBSan, apart from the one in place.
# Sets PYTHONPATH, LD_PRELOAD and the options; wants the repository's root as working directory.
SANITIZED=build/asan/lib

build_sanitized() {
    mkdir -p "$SANITIZED"
    # The Python sources are copied, so that the copy imports its own kernels and never those of the release.
    rm -rf "$SANITIZED/mxward"
    cp -rL mxward "$SANITIZED/"
    find "$SANITIZED/mxward" \( -name '*.so' -o -name '__pycache__' \) -prune -exec rm -rf {} +
    echo "mxward: building the kernels with sanitizers" >&2
    MXWARD_BUILD=asan python setup.py -q build_ext --build-lib "$SANITIZED" --build-temp build/asan/tmp \
        >build/asan/build.log 2>&1 || { tail -n 30 build/asan/build.log >&2; exit 1; }
}

use_sanitized() {
    local asan ubsan
    asan=$(gcc -print-file-name=libasan.so)
    ubsan=$(gcc -print-file-name=libubsan.so)
    [ -e "$asan" ] && [ -e "$ubsan" ] || { echo "mxward: gcc has no libasan or libubsan" >&2; exit 1; }
    export PYTHONPATH=$PWD/$SANITIZED:$PWD/tests/lib
    export LD_PRELOAD="$asan $ubsan"
    # Python frees little at exit, so leaks are not looked for; its own allocator would hide overruns.
    export ASAN_OPTIONS=detect_leaks=0:abort_on_error=1:allocator_may_return_null=1:handle_segv=1
    export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
    export PYTHONMALLOC=malloc MXWARD_SANITIZED=1
}
