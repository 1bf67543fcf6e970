#!/usr/bin/env bash
# Python 3.11 - 3.13 and the hash-locked packages, in .venv of this checkout.
#
#   setup/python.sh [run|test|voice]      (default: run; each contains the one before it but voice, which is
#                                          added to what is there)
#
# CTI_PYTHON  the interpreter to use      (default: the first fitting one on PATH)
set -euo pipefail
# shellcheck source=setup/words.sh
. "$(dirname "$0")/words.sh"

WHAT=${1:-run}
LOCK=$CHECKOUT/requirements/$WHAT.txt
[ -r "$LOCK" ] || fail "no such set of packages: $WHAT" "setup/python.sh run | test | voice"

FITS='import sys; v = sys.version_info[:2]; assert (3, 11) <= v <= (3, 13); print(sys.executable, "%d.%d" % v)'

find_python() {
    local name found
    for name in ${CTI_PYTHON:+"$CTI_PYTHON"} python3.11 python3.12 python3.13 python3; do
        # a name on PATH may be a shim that has no such version behind it: ask it
        if found=$("$name" -c "$FITS" 2>/dev/null); then
            printf '%s\n' "${found% *}"
            return 0
        fi
    done
    return 1
}

has_uv() { [ -z "${CTI_NO_UV:-}" ] && uv --version >/dev/null 2>&1; }

# uv does not read pip's configuration, where people behind a mirror name it
uv_where_pip_looks() {
    if [ -z "${UV_DEFAULT_INDEX:-}${UV_INDEX_URL:-}" ]; then
        local index
        index=$("${PYTHON:-python3}" -m pip config get global.index-url 2>/dev/null || true)
        index=${PIP_INDEX_URL:-$index}
        if [ -n "$index" ]; then export UV_DEFAULT_INDEX=$index; fi
    fi
}

# pip as a file to run, for a Python whose distribution keeps ensurepip in a package of its own
pip_wheel() {
    local dir=$STATE/pip
    mkdir -p "$dir"
    (cd "$dir" && apt-get -q download python3-pip-whl >/dev/null 2>&1 && dpkg-deb -x python3-pip-whl_*.deb .) || return 1
    find "$dir/usr/share/python-wheels" -name 'pip-*.whl' | head -n 1
}

make_venv() {
    if [ -x "$VENV/bin/python" ] && "$VENV/bin/python" -c "$FITS" >/dev/null 2>&1; then return 0; fi
    if ! PYTHON=$(find_python); then
        note "no Python 3.11, 3.12 or 3.13 on PATH"
        if apt_install python3 python3-venv && PYTHON=$(find_python); then
            note "took this host's own"
        elif has_uv; then
            note "uv fetches one"
            uv python install 3.12 && PYTHON=$(uv python find 3.12) || PYTHON=
        fi
    fi
    [ -n "${PYTHON:-}" ] || fail "no Python 3.11, 3.12 or 3.13" \
        "as root: apt-get install python3 python3-venv   (Debian 12/13, Ubuntu 24.04 have a fitting one)" \
        "or name one: CTI_PYTHON=/path/to/python3.12 make run"
    note "Python $("$PYTHON" -V | cut -d' ' -f2): $PYTHON"
    rm -rf "$VENV"
    if has_uv; then
        uv venv -q --python "$PYTHON" "$VENV"
    elif "$PYTHON" -c 'import ensurepip' 2>/dev/null; then
        "$PYTHON" -m venv "$VENV"
    elif apt_install "$(basename "$(readlink -f "$PYTHON")")-venv"; then
        "$PYTHON" -m venv "$VENV"
    else
        # the debs of the host's own Python know how to be fetched without root
        note "its ensurepip is missing: pip is taken from the package python3-pip-whl without installing it"
        local whl
        whl=$(pip_wheel || true)
        [ -n "$whl" ] || fail "this Python has no ensurepip, and pip could not be fetched" \
            "as root: apt-get install python3-venv"
        "$PYTHON" -m venv --without-pip "$VENV"
        PYTHONPATH=$whl "$VENV/bin/python" -m pip -q install --no-index --no-deps "$whl"
    fi
}

# install LOCK : nothing is resolved (the lock is complete) and nothing built with a tool outside the lock
install() {
    local lock=$1 total log=$STATE/pip.log
    total=$(grep -c '==' "$lock")
    if has_uv; then
        uv_where_pip_looks
        if uv pip install -q --python "$VENV/bin/python" --no-build-isolation --no-deps --require-hashes -r "$lock" \
            >"$log" 2>&1; then
            return 0
        fi
        note "uv could not ($(grep -m 1 -i error "$log" || true)): pip tries"
    fi
    "$VENV/bin/python" -m pip --version >/dev/null 2>&1 || "$VENV/bin/python" -m ensurepip -q
    "$VENV/bin/python" -m pip install --disable-pip-version-check --no-input --no-build-isolation --no-deps \
        --require-hashes -r "$lock" 2>&1 | tee "$log" |
        grep --line-buffered -E '^(Collecting|Processing|Ignoring|Requirement already)' | count "$total" packages ||
        fail "pip could not install $lock: $(grep -m 1 '^ERROR' "$log" || true)" \
            "the whole story: $log" \
            "behind a mirror or proxy: pip config set global.index-url …, and run again"
}

install_locked() {
    local start=$SECONDS
    install "$CHECKOUT/requirements/build.txt"
    install "$LOCK"
    note "$(grep -c '==' "$LOCK") packages, each by its hash, in place after $((SECONDS - start)) s"
}

install_project() {
    # the build backend is in the lock, so nothing more is fetched
    if has_uv; then
        uv pip install -q --python "$VENV/bin/python" --no-deps --no-build-isolation -e "$CHECKOUT"
    else
        "$VENV/bin/python" -m pip -q install --disable-pip-version-check --no-deps --no-build-isolation --no-index \
            -e "$CHECKOUT"
    fi
}

mkdir -p "$STATE"
make_venv
install_locked
install_project
note "$("$VENV/bin/python" -V) in $VENV"
