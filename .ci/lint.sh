#!/usr/bin/env bash
# Lint: format, rules, types, kernels, import order, spelling. Fails at the first kind that fails.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
step() { printf 'lint: %s\n' "$1"; }
step "ruff"; ruff check . && ruff format --check -q .
step "cython-lint"; cython-lint pyx bindings
step "mypy"; mypy
step "import-linter"; lint-imports --no-logo 2>/dev/null | tail -n 3; test "${PIPESTATUS[0]}" -eq 0
step "codespell"; codespell
