# shellcheck shell=bash
# How set-up speaks, and the few things every part of it must know. Sourced, never run.

set -euo pipefail
umask 022 # what is installed here is also read by an unprivileged Asterisk

CHECKOUT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck disable=SC2034  # used by the parts
VENV=$CHECKOUT/.venv
STATE=$CHECKOUT/.setup # stamps, lock and logs of set-up itself

say() { printf '%s\n' "$*"; }
step() { printf '\033[1m==>\033[0m %s\n' "$*"; }
note() { printf '    %s\n' "$*"; }

# fail WHAT REMEDY... : something outside is missing; exit code 3 as the `cti` command does.
fail() {
    printf '\n\033[31mset-up stopped:\033[0m %s\n' "$1" >&2
    shift
    printf '  what to do: %s\n' "$@" >&2
    exit 3
}

# count TOTAL WORD : turn each line read into progress, one redrawn line on a terminal, else every 20th.
count() {
    local total=$1 word=$2 n=0
    while IFS= read -r _; do
        n=$((n + 1))
        if [ -t 1 ]; then
            printf '\r    %d/%d %s' "$n" "$total" "$word"
        elif [ $((n % 20)) -eq 0 ] || [ "$n" -eq "$total" ]; then
            printf '    %d/%d %s\n' "$n" "$total" "$word"
        fi
    done
    if [ -t 1 ] && [ "$n" -gt 0 ]; then printf '\n'; fi
}

is_root() { [ "$(id -u)" -eq 0 ]; }

# as_root COMMAND... : run it as root, directly or through sudo that asks nothing; 1 when neither is possible.
can_be_root() { is_root || { command -v sudo >/dev/null && sudo -n true 2>/dev/null; }; }
as_root() {
    if is_root; then "$@"; else sudo -n -- "$@"; fi
}

# Where the privately unpacked Asterisk lies (cti reads the same rule).
asterisk_prefix() {
    if [ -n "${CTI_ASTERISK_PREFIX:-}" ]; then
        printf '%s\n' "$CTI_ASTERISK_PREFIX"
    elif is_root; then
        printf '/var/lib/hotline12345/asterisk-private\n'
    else
        printf '%s\n' "${XDG_DATA_HOME:-$HOME/.local/share}/hotline12345/asterisk-private"
    fi
}

# Where the recogniser of the tests lies, for all checkouts of this user: the models of the default home
# (cti reads the same rule).
models_folder() {
    if [ -n "${CTI_MODELS:-}" ]; then
        printf '%s\n' "$CTI_MODELS"
    elif [ -n "${CTI_HOME:-}" ]; then
        printf '%s\n' "$CTI_HOME/models"
    elif is_root; then
        printf '/var/lib/hotline12345/models\n'
    else
        printf '%s\n' "${XDG_DATA_HOME:-$HOME/.local/share}/hotline12345/models"
    fi
}

# free_mb DIR : megabytes free where DIR is or would be.
free_mb() {
    local dir=$1
    while [ ! -d "$dir" ]; do dir=$(dirname "$dir"); done
    df -Pm "$dir" | awk 'NR == 2 { print $4 }'
}

# apt_install PACKAGE... : from this host's own apt sources, without recommendations, without starting
# daemons, and never together with another libc. Tells why on the way out when it cannot.
apt_install() {
    command -v apt-get >/dev/null || {
        note "this machine has no apt-get"
        return 1
    }
    can_be_root || {
        note "not root, and no sudo that asks for no password"
        return 1
    }
    local log=$STATE/apt.log plan
    mkdir -p "$STATE"
    : >"$log"
    if ! plan=$(apt-get -s -o APT::Install-Recommends=false install "$@" 2>>"$log"); then
        note "reading this host's package lists"
        as_root apt-get -q update >>"$log" 2>&1 || {
            tail -n 5 "$log" | sed 's/^/    /'
            return 1
        }
        plan=$(apt-get -s -o APT::Install-Recommends=false install "$@" 2>>"$log") || {
            tail -n 5 "$log" | sed 's/^/    /'
            return 1
        }
    fi
    if grep -Eq '^Inst (libc6|libc-bin)(:[a-z0-9]+)? \[' <<<"$plan"; then
        note "these packages want another libc than this host's, and set-up never changes a libc: $*"
        return 1
    fi
    local total
    total=$(grep -c '^Inst ' <<<"$plan" || true)
    note "installing $total packages for: $*"
    local blocked=
    if as_root test ! -e /usr/sbin/policy-rc.d; then
        # invoke-rc.d asks this file; 101 = "start nothing now"
        printf '#!/bin/sh\nexit 101\n' | as_root tee /usr/sbin/policy-rc.d >/dev/null
        as_root chmod 755 /usr/sbin/policy-rc.d
        blocked=yes
    fi
    local rc=0
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o APT::Install-Recommends=false \
        -o Dpkg::Use-Pty=0 install "$@" 2>&1 </dev/null | tee -a "$log" | grep --line-buffered '^Setting up ' |
        count "$total" packages || rc=$?
    if [ -n "$blocked" ]; then as_root rm -f /usr/sbin/policy-rc.d; fi
    if [ "$rc" -ne 0 ]; then
        tail -n 8 "$log" | sed 's/^/    /'
        note "the whole story: $log"
        return 1
    fi
}
