#!/usr/bin/env bash
# What Asterisk itself spawns when FastAGI fails: an interpreter and pyst2, where an unprivileged
# Asterisk may read and execute them (a checkout under /root or a private home is closed to it).
#
# Writes <prefix>/agi-lib/ (the library) and <prefix>/agi.env:
#   AGI_PYTHON=/usr/bin/python3      empty when no interpreter can be executed by everybody
#   AGI_LIB=<prefix>/agi-lib
set -euo pipefail
# shellcheck source=setup/words.sh
. "$(dirname "$0")/words.sh"

PREFIX=$(asterisk_prefix)
LIB=$PREFIX/agi-lib
ENTRIES="asterisk six.py" # pyst2's package is called asterisk; it needs six

packages=$("$VENV/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
rm -rf "$LIB.new"
mkdir -p "$LIB.new"
for entry in $ENTRIES; do
    [ -e "$packages/$entry" ] || fail "pyst2 is not installed in $VENV: $entry is missing" "setup/python.sh"
    cp -rL "$packages/$entry" "$LIB.new/"
done
find "$LIB.new" -name __pycache__ -prune -exec rm -rf {} +
chmod -R u+w,a+rX "$LIB.new"
rm -rf "$LIB"
mv "$LIB.new" "$LIB"

# open_to_all FILE : it and every folder above it are open to a user who is nobody
open_to_all() {
    local path
    path=$(readlink -f "$1") || return 1
    [ "$(stat -c %A "$path" | cut -c8,10)" = rx ] || return 1
    while [ "$path" != / ]; do
        path=$(dirname "$path")
        case $(stat -c %A "$path" | cut -c10) in x | t) ;; *) return 1 ;; esac
    done
}

# Asterisk runs as the user who starts it, or for root as nobody: ask as the one it will be.
as_asterisk() {
    if is_root && command -v setpriv >/dev/null; then
        setpriv --reuid 65534 --regid 65534 --clear-groups -- "$@"
    else
        "$@"
    fi
}

chosen=
for python in ${CTI_AGI_PYTHON:+"$CTI_AGI_PYTHON"} /usr/bin/python3 /usr/local/bin/python3 \
    "$(readlink -f "$VENV/bin/python")"; do
    [ -x "$python" ] || continue
    if is_root && ! open_to_all "$python"; then continue; fi
    if (cd / && as_asterisk env -i PYTHONPATH="$LIB" PYTHONDONTWRITEBYTECODE=1 "$python" -I -c \
        "import sys; sys.path.insert(0, '$LIB'); import asterisk.agi") >/dev/null 2>&1; then
        chosen=$python
        break
    fi
done

printf 'AGI_PYTHON=%s\nAGI_LIB=%s\n' "$chosen" "$LIB" >"$PREFIX/agi.env.new"
chmod 644 "$PREFIX/agi.env.new"
mv "$PREFIX/agi.env.new" "$PREFIX/agi.env"
if [ -n "$chosen" ]; then
    note "the failsafe of the advice question runs on $chosen"
else
    note "no Python here can be executed by an unprivileged Asterisk: when the service is dead, calls are"
    note "still answered and queued by the dialplan's defaults, only the failsafe's hint is missing."
    note "what to do: as root, apt-get install python3   (then run set-up again)"
fi
