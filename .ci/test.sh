#!/usr/bin/env bash
# The test run: lint, then the suite, then the short benchmark gate.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if [ $# -gt 0 ]; then exec python -m pytest "$@"; fi
bash .ci/lint.sh
HYPOTHESIS_PROFILE=${HYPOTHESIS_PROFILE:-ci} python -m pytest -q
PYTHONPATH=$PWD:$PWD/tests/lib python -m bench gate --short
