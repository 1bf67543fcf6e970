#!/usr/bin/env bash
# An Asterisk to run: the one on PATH when it is 18 or newer, else a private one.
#
#   setup/asterisk.sh [--force]
#
# The private one is the closure of Debian's own packages, resolved by apt against an empty package
# status, fetched from the mirror this host already uses, verified by apt, and unpacked in a folder.
# Nothing is installed on the host, root is not needed, and the host's libc is not used: the program
# runs under the loader and the libraries beside it (given to the loader as an argument and not by an
# environment variable, so that what Asterisk spawns keeps the host's libraries).
#
# It may be stopped at any moment: fetched packages are kept for the next try, and bin/asterisk is
# written last.
#
# CTI_ASTERISK_PREFIX  where to           (default: see asterisk_prefix in words.sh)
# CTI_ASTERISK_SUITES  which releases     (default: forky sid; on Ubuntu its own)
# CTI_ASTERISK_MIRROR  whence             (default: from this host's apt sources)
# CTI_ASTERISK_KEYRING who may have signed it
set -euo pipefail
# shellcheck source=setup/words.sh
. "$(dirname "$0")/words.sh"

OLDEST=18
NEED_MB=900
PACKAGES=(asterisk asterisk-mp3 asterisk-core-sounds-en-wav asterisk-moh-opsound-wav)
# members of the closure that only maintainer scripts or command line tools need
UNUSED='^(perl-base|perl-modules-.*|adduser|passwd|base-passwd|login\.defs|debconf|gnupg|gnupg-l10n|gpg|gpgsm|gpgconf|gpg-agent|dirmngr|pinentry-.*|tzdata|pci\.ids|libsnmp-base|libpam.*|libsemanage.*)$'

PREFIX=$(asterisk_prefix)
PROGRAM=$PREFIX/bin/asterisk
WORK=$PREFIX/.fetch # apt's folders; gone when all is well

version_of() { "$1" -V 2>/dev/null | sed -nE 's,^Asterisk (certified/)?([0-9]+).*,\2,p'; }

write_program() { # reads the script from stdin
    mkdir -p "$PREFIX/bin"
    cat >"$PROGRAM.new"
    chmod 755 "$PROGRAM.new"
    mv -f "$PROGRAM.new" "$PROGRAM"
}

use_system() {
    local found=$1 version=$2
    ln -sfn / "$PREFIX/root"
    printf 'from PATH\t%s\t%s\n' "$found" "$("$found" -V)" >"$PREFIX/packages.txt"
    write_program <<EOF
#!/bin/sh
exec "$found" "\$@"
EOF
    note "Asterisk $version on PATH is used: $found"
}

# The first source of this host's own release, as apt itself understands its configuration.
host_mirror() {
    local codename
    codename=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
    # shellcheck disable=SC2016  # apt fills these in
    apt-get indextargets --no-release-info --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' \
        2>/dev/null | awk -v suite="$codename" '$2 == suite && $3 == "main" { sub("/$", "", $1); print $1; exit }'
}

describe_host() { # -> MIRROR SUITES COMPONENTS KEYRING
    local id like
    id=$(. /etc/os-release && printf '%s' "${ID:-}")
    like=$(. /etc/os-release && printf '%s' "${ID_LIKE:-}")
    if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then fail \
        "no Asterisk >= $OLDEST on PATH, and this machine ($id) has no apt-get to fetch one with" \
        "install your distribution's asterisk ($OLDEST or newer) and run again"; fi
    MIRROR=${CTI_ASTERISK_MIRROR:-$(host_mirror)}
    case " $id $like " in
    " ubuntu "* | *" ubuntu "*)
        SUITES=${CTI_ASTERISK_SUITES:-$(. /etc/os-release && printf '%s' "${UBUNTU_CODENAME:-$VERSION_CODENAME}")}
        COMPONENTS="main universe"
        KEYRING=${CTI_ASTERISK_KEYRING:-/usr/share/keyrings/ubuntu-archive-keyring.gpg}
        ;;
    *)
        SUITES=${CTI_ASTERISK_SUITES:-forky sid}
        COMPONENTS="main"
        KEYRING=${CTI_ASTERISK_KEYRING:-/usr/share/keyrings/debian-archive-keyring.gpg}
        ;;
    esac
    [ -n "$MIRROR" ] || fail \
        "no Asterisk >= $OLDEST on PATH, and this host's apt sources name no mirror to take one from" \
        "install your distribution's asterisk (apt-get install asterisk) and run again" \
        "or name a Debian mirror: CTI_ASTERISK_MIRROR=… setup/asterisk.sh"
    [ -r "$KEYRING" ] || fail \
        "the archive's keyring is missing: $KEYRING" \
        "apt-get install debian-archive-keyring (or ubuntu-keyring), or set CTI_ASTERISK_KEYRING"
}

describe_machine() { # -> ARCH TRIPLE LOADER
    case $(uname -m) in
    x86_64) ARCH=amd64 TRIPLE=x86_64-linux-gnu LOADER=ld-linux-x86-64.so.2 ;;
    aarch64) ARCH=arm64 TRIPLE=aarch64-linux-gnu LOADER=ld-linux-aarch64.so.1 ;;
    *) fail "no recipe for a $(uname -m)" "install your distribution's asterisk ($OLDEST or newer) and run again" ;;
    esac
}

# apt with folders of its own. The host's apt.conf.d is still read: proxies and certificates are there.
prepare_apt() {
    local suite=$1 dir
    dir=$WORK/$suite
    # apt's own archives stay empty: --print-uris leaves out what lies there, and the whole closure is wanted
    mkdir -p "$dir"/etc/{preferences.d,sources.list.d} "$dir"/lists/partial "$dir"/archives/partial "$WORK"/archives
    : >"$dir/status"
    printf 'deb [arch=%s signed-by=%s] %s %s %s\n' "$ARCH" "$KEYRING" "$MIRROR" "$suite" "$COMPONENTS" \
        >"$dir/etc/sources.list"
    cat >"$dir/apt.conf" <<EOF
Dir::State "$dir";
Dir::State::lists "$dir/lists";
Dir::State::status "$dir/status";
Dir::Cache "$WORK";
Dir::Cache::archives "$dir/archives";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
Dir::Etc::sourcelist "$dir/etc/sources.list";
Dir::Etc::sourceparts "$dir/etc/sources.list.d";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "$dir/etc/preferences.d";
APT::Architecture "$ARCH";
APT::Architectures "$ARCH";
APT::Install-Recommends "false";
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::Retries "3";
EOF
    export APT_CONFIG=$dir/apt.conf
}

# fetch SUITE : all packages of the closure in $WORK/archives, their names in $WORK/closure
fetch() {
    local suite=$1 total mb
    local log=$WORK/$suite.log
    prepare_apt "$suite"
    note "asking $suite for: ${PACKAGES[*]}"
    apt-get -q update >"$log" 2>&1 || return 1
    apt-get -q -y --print-uris install "${PACKAGES[@]}" >"$WORK/uris" 2>>"$log" || return 1
    # lines read: 'address' name_version_arch.deb size hash; lines written: name file size
    sed -nE "s/^'[^']*' (([^_ ]+)_[^ ]+) ([0-9]+).*/\2 \1 \3/p" "$WORK/uris" |
        awk -v unused="$UNUSED" '$1 !~ unused' | sort -u >"$WORK/closure"
    total=$(wc -l <"$WORK/closure")
    mb=$(awk '{ bytes += $3 } END { printf "%d", bytes / 1e6 }' "$WORK/closure")
    [ "$total" -gt 0 ] || return 1
    note "$total packages, $mb MB"
    # `download` verifies the signed hash of each file and does not fetch again what is whole
    (cd "$WORK/archives" && cut -d' ' -f1 "$WORK/closure" |
        xargs -n 10 apt-get -q download 2>>"$log" | grep --line-buffered '^Get:' | count "$total" fetched) || true
    local file missing=0
    while read -r _ file _; do
        [ -s "$WORK/archives/$file" ] || missing=$((missing + 1))
    done <"$WORK/closure"
    if [ "$missing" -gt 0 ]; then
        echo "$missing of $total packages could not be fetched" >>"$log"
        return 1
    fi
}

unpack() {
    local suite=$1 file dir
    local fresh=$PREFIX/root.new
    rm -rf "$fresh"
    mkdir -p "$fresh"
    while read -r _ file _; do
        dpkg-deb -x "$WORK/archives/$file" "$fresh" 2>>"$WORK/$suite.log" || exit 1
        echo "$file"
    done <"$WORK/closure" | count "$(wc -l <"$WORK/closure")" unpacked || return 1
    # releases before the merge of /usr still ship /lib: bring both together
    for dir in lib lib64 sbin bin; do
        if [ -d "$fresh/$dir" ] && [ ! -L "$fresh/$dir" ]; then
            mkdir -p "$fresh/usr/$dir"
            cp -a "$fresh/$dir/." "$fresh/usr/$dir/"
            rm -rf "${fresh:?}/$dir"
        fi
    done
    rm -rf "$fresh"/usr/share/{doc,man,locale,info,lintian,zsh,bash-completion}
    chmod -R u+w,a+rX "$fresh"
    {
        printf '# suite %s, %s\n' "$suite" "$(date -u +%Y-%m-%d)"
        cut -d' ' -f2 "$WORK/closure" | sed -E 's/^([^_]+)_([^_]+)_.*/\1\t\2/; s/%3a/:/g'
    } >"$PREFIX/packages.txt"
    rm -rf "$PREFIX/root.old"
    if [ -e "$PREFIX/root" ] || [ -L "$PREFIX/root" ]; then mv "$PREFIX/root" "$PREFIX/root.old"; fi
    mv "$fresh" "$PREFIX/root"
    rm -rf "$PREFIX/root.old"
}

private_program() {
    local loader
    loader=$(find "$PREFIX/root/usr/lib64" "$PREFIX/root/usr/lib" -maxdepth 2 -name "$LOADER" 2>/dev/null | head -n 1)
    [ -n "$loader" ] || return 1
    write_program <<EOF
#!/bin/sh
R="$PREFIX/root"
exec "$loader" --argv0 asterisk --library-path "\$R/usr/lib/$TRIPLE" "\$R/usr/sbin/asterisk" "\$@"
EOF
    [ -n "$(version_of "$PROGRAM")" ]
}

main() {
    if [ "${1:-}" != --force ] && [ -x "$PROGRAM" ] && [ -n "$(version_of "$PROGRAM")" ]; then
        note "$("$PROGRAM" -V) is ready: $PROGRAM"
        return 0
    fi
    mkdir -p "$PREFIX" 2>/dev/null || fail "cannot write $PREFIX" \
        "run as a user who may, or set CTI_ASTERISK_PREFIX to a folder of yours"
    local found version suite
    found=$(command -v asterisk || true)
    if [ -n "$found" ]; then
        version=$(version_of "$found")
        if [ "${version:-0}" -ge "$OLDEST" ]; then
            use_system "$found" "$version"
            return 0
        fi
        note "Asterisk ${version:-?} on PATH is older than $OLDEST: a private one is unpacked"
    fi
    describe_machine
    describe_host
    [ "$(free_mb "$PREFIX")" -ge "$NEED_MB" ] || fail \
        "less than $NEED_MB MB free for $PREFIX" "make room, or set CTI_ASTERISK_PREFIX to a folder with more"
    mkdir -p "$WORK"
    for suite in $SUITES; do
        if [ -e "$WORK/suite" ] && [ "$(cat "$WORK/suite")" != "$suite" ]; then
            rm -rf "$WORK/archives" # packages of two releases must not mix
        fi
        echo "$suite" >"$WORK/suite"
        if fetch "$suite" && unpack "$suite" && private_program; then
            rm -rf "$WORK"
            note "$("$PROGRAM" -V) unpacked from $suite: $(du -sm "$PREFIX/root" | cut -f1) MB in $PREFIX"
            return 0
        fi
        note "$suite gave no working Asterisk; the end of $WORK/$suite.log:"
        tail -n 4 "$WORK/$suite.log" | sed 's/^/      /' || true
    done
    fail "no release gave a complete Asterisk (tried: $SUITES)" \
        "network or mirror trouble: run again, what was fetched is kept" \
        "or install your distribution's asterisk ($OLDEST or newer), or set CTI_ASTERISK_SUITES"
}

main "$@"
