#!/usr/bin/env bash
# fuzz.sh SECONDS: fuzz every kernel under AddressSanitizer and UBSan, the time shared between targets.
# Exit 1 when something was found; the input is then kept under tests/fuzz/regressions.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
seconds=${1:-60}
case $seconds in *[!0-9]*|'') echo "usage: fuzz.sh SECONDS" >&2; exit 2 ;; esac
mkdir -p build/asan
# shellcheck source=tests/fuzz/sanitized.sh
. tests/fuzz/sanitized.sh
build_sanitized
use_sanitized
exec python tests/fuzz/run.py --seconds "$seconds"
