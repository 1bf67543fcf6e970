#!/usr/bin/env bash
# Compile requirements/*.txt anew from pyproject.toml (for maintainers; needs uv).
#
#   setup/lock.sh [--upgrade]
#
# One resolution for Python 3.11 - 3.13 on every platform, with hashes, and without any address in it.
set -euo pipefail
# shellcheck source=setup/words.sh
. "$(dirname "$0")/words.sh"
cd "$CHECKOUT"
command -v uv >/dev/null || fail "uv is not on PATH" "pip install uv"
mkdir -p requirements

lock() { # NAME OPTION...
    local name=$1
    shift
    # versions already in the file stay, unless --upgrade
    uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
        --no-emit-index-url --no-emit-find-links "${UPGRADE[@]}" "$@" -o "requirements/$name.txt"
    if grep -n '://' "requirements/$name.txt"; then fail "an address got into requirements/$name.txt" "lock again"; fi
    note "$name: $(grep -c '==' "requirements/$name.txt") packages"
}

UPGRADE=("$@")
step "locking"
lock build --group build
lock test pyproject.toml --extra speech --extra test --extra dev
# the others take the versions of the full set
UPGRADE=()
cp requirements/test.txt requirements/run.txt
cp requirements/test.txt requirements/voice.txt
lock run pyproject.toml
lock voice pyproject.toml --extra speech --extra voice
