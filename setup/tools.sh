#!/usr/bin/env bash
# The programs that tests need beside Asterisk and Python: peers nobody here wrote, and real servers.
#
#   setup/tools.sh [--check]     --check only says what is missing (exit 3 when anything is)
set -euo pipefail
# shellcheck source=setup/words.sh
. "$(dirname "$0")/words.sh"

# command, its Debian/Ubuntu package, what it is for
TOOLS="
sipp          sip-tester    load and odd SIP
sox           sox           audio in and out of calls
baresip       baresip-core  a phone nobody here wrote
redis-server  redis-server  the store's contract on a real Redis
postgres      postgresql    the store's contract on a real PostgreSQL
shellcheck    shellcheck    make lint
setpriv       util-linux    running Asterisk unprivileged
ps            procps        looking at processes
"

there() {
    case $1 in
    postgres) command -v postgres >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null ;;
    *) command -v "$1" >/dev/null ;;
    esac
}

missing_packages() {
    local command package
    while read -r command package _; do
        if [ -n "$command" ] && ! there "$command"; then printf '%s\n' "$package"; fi
    done <<<"$TOOLS"
}

mapfile -t missing < <(missing_packages)
if [ ${#missing[@]} -gt 0 ] && [ "${1:-}" != --check ]; then
    apt_install "${missing[@]}" || true
    mapfile -t missing < <(missing_packages)
fi
if [ ${#missing[@]} -eq 0 ]; then
    note "all test tools are there"
    exit 0
fi
while read -r command package purpose; do
    if [ -n "$command" ] && ! there "$command"; then note "missing: $command ($purpose), package $package"; fi
done <<<"$TOOLS"
fail "tests need programs that are missing and could not be installed" \
    "as root: apt-get install ${missing[*]}" \
    "then run again; \`make run\` needs none of them"
