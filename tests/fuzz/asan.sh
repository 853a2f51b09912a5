#!/usr/bin/env bash
# asan.sh [PYTEST ARGUMENTS]: the suite of the kernels and of what stands on them, under AddressSanitizer and UBSan.
# The server's suite starts processes of the installed release and proves nothing about memory, so it is left out.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
mkdir -p build/asan
# shellcheck source=tests/fuzz/sanitized.sh
. tests/fuzz/sanitized.sh
build_sanitized
use_sanitized
if [ $# -eq 0 ]; then
    set --
    for folder in tests/pyx tests/bindings tests/core tests/properties tests/fuzz; do
        compgen -G "$folder/test_*.py" >/dev/null && set -- "$@" "$folder"
    done
fi
# The suite's own pythonpath has the checkout in it, before PYTHONPATH: with it the release in place would be tested.
exec python -m pytest -q -p no:cacheprovider --timeout 600 -o pythonpath=tests/lib "$@"
