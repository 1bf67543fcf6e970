#!/usr/bin/env bash
# Everything a checkout needs. Called by `make run` and `make test`; safe to call at any time.
#
#   setup/all.sh [--tests] [--force]
#
# --tests also fetches the recogniser that tests of speech need (setup/speech.sh; CTI_TEST_SPEECH=0: not).
#
# A second call finds its stamp and does nothing. --force goes through every part again.
set -euo pipefail
# shellcheck source=setup/words.sh
. "$(dirname "$0")/words.sh"

what="run" force=
for argument in "$@"; do
    case $argument in
    --tests) what="test" ;;
    --force) force=yes ;;
    *)
        say "usage: setup/all.sh [--tests] [--force]" >&2
        exit 2
        ;;
    esac
done

PREFIX=$(asterisk_prefix)
mkdir -p "$STATE" 2>/dev/null || fail "cannot write $CHECKOUT" "clone the repository to a folder of your own"

# what the stamp stands for: these files, this user, these places
fingerprint() {
    { cat "$CHECKOUT"/setup/*.sh "$CHECKOUT"/requirements/*.txt "$CHECKOUT/pyproject.toml" &&
        printf '%s\n' "$(id -u)" "$CHECKOUT" "$PREFIX" "${CTI_PYTHON:-}"; } | sha256sum | cut -d' ' -f1
}

up_to_date() {
    local stamp=$STATE/done-$1
    [ -r "$stamp" ] && [ "$(cat "$stamp")" = "$2" ] && [ -x "$VENV/bin/cti" ] && [ -r "$PREFIX/agi.env" ] &&
        "$VENV/bin/python" -c '' 2>/dev/null && "$PREFIX/bin/asterisk" -V >/dev/null 2>&1
}

link_command() {
    local target=$VENV/bin/cti dir link now
    if [ -n "${CTI_LINK_DIR:-}" ]; then
        dir=$CTI_LINK_DIR
    elif is_root; then
        dir=/usr/local/bin
    else
        dir=$HOME/.local/bin
    fi
    link=$dir/cti
    if [ -e "$link" ] || [ -L "$link" ]; then
        now=$(readlink "$link" || true)
        case $now in
        "$target") ;;
        */.venv/bin/cti) note "$link belonged to another checkout ($now) and now means this one" ;;
        *)
            note "$link is something else and stays; the command of this checkout is $target"
            return 0
            ;;
        esac
    fi
    if ! mkdir -p "$dir" 2>/dev/null || ! ln -sfn "$target" "$link" 2>/dev/null; then
        note "cannot write $dir; the command of this checkout is $target"
        return 0
    fi
    case :$PATH: in
    *":$dir:"*) note "the command: cti   ($link)" ;;
    *) note "the command: $link   ($dir is not on your PATH)" ;;
    esac
}

mark=$(fingerprint)
if [ -z "$force" ] && up_to_date $what "$mark"; then
    [ "$(command -v cti || true)" != "" ] || link_command
    # its folder is not this checkout's: it may have gone, or could not be fetched the last time
    if [ $what = test ]; then "$CHECKOUT/setup/speech.sh"; fi
    say "set-up: nothing to do ($("$PREFIX/bin/asterisk" -V), $("$VENV/bin/python" -V))"
    exit 0
fi

# one set-up at a time in this checkout
exec 9>"$STATE/lock"
if command -v flock >/dev/null && ! flock -n 9; then
    say "another set-up runs in this checkout: waiting for it"
    flock 9
fi

here=$CHECKOUT/setup
step "1/4 Python and its packages"
"$here/python.sh" $what
step "2/4 Asterisk"
if [ -n "$force" ]; then "$here/asterisk.sh" --force; else "$here/asterisk.sh"; fi
"$here/agi.sh"
step "3/4 the command"
link_command
if [ $what = test ]; then
    step "4/4 what tests need beside it"
    "$here/tools.sh"
    "$here/speech.sh"
else
    step "4/4 nothing more for running (tests need more: setup/all.sh --tests)"
fi
printf '%s\n' "$mark" >"$STATE/done-$what"
# what tests need contains what running needs
if [ $what = test ]; then printf '%s\n' "$mark" >"$STATE/done-run"; fi
say "set-up done in $SECONDS s"
