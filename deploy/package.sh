#!/usr/bin/env bash
# Build sdist and wheel, then install the wheel in a fresh environment and let it scan a message.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
out=build/package
rm -rf "$out" && mkdir -p "$out"
python -m build --no-isolation --outdir "$out" . >"$out/build.log" 2>&1 || { tail -n 30 "$out/build.log"; exit 1; }
wheel=$(ls "$out"/*.whl)
unzip -l "$wheel" 2>/dev/null | grep -q 'pyx/mime.*\.so' || python - "$wheel" <<'PY'
import sys, zipfile
names = zipfile.ZipFile(sys.argv[1]).namelist()
sys.exit(0 if any("pyx/mime" in n and n.endswith(".so") for n in names) else "the wheel holds no kernel")
PY
python -m venv "$out/venv"
"$out/venv/bin/pip" install -q --require-hashes -r requirements/base.txt
"$out/venv/bin/pip" install -q --no-deps "$wheel"
cd /
printf 'From: a@example.org\r\nTo: b@trust.example\r\nSubject: package test\r\n\r\nhello\r\n' >"$root/$out/sample.eml"
"$root/$out/venv/bin/mxward" scan --json "$root/$out/sample.eml"
printf 'package: %s\n' "$wheel"
