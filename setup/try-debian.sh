#!/usr/bin/env bash
# Try this repository on a bare Debian: HEAD as a clean clone in a root made by debootstrap.
#
#   setup/try-debian.sh SUITE DIR [--user NAME] [COMMAND...]
#
#   setup/try-debian.sh trixie /var/tmp/trixie                      (COMMAND is `make test`)
#   setup/try-debian.sh trixie /var/tmp/trixie setup/all.sh
#   setup/try-debian.sh trixie /var/tmp/trixie --user tester setup/all.sh --tests
#
# Needs root, debootstrap and about 2 GB in DIR. The root is made once and used again; the clone is made
# anew each time. This host's apt sources' mirror, its pip and npm configuration and its certificates are
# passed through; its network is shared (so two runs with the same ports collide). Every process started
# in there ends with the command.
set -euo pipefail
# shellcheck source=setup/words.sh
. "$(dirname "$0")/words.sh"

if [ "${1:-}" = --inside ]; then
    # second half: alone in new mount and process namespaces, with DIR about to become /
    shift
    root=$1 user=$2
    shift 2
    mount --make-rprivate /
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    mount -t sysfs -o ro sysfs "$root/sys" 2>/dev/null || true
    mount -t tmpfs tmpfs "$root/run"
    # local package folders that pip's configuration or environment names
    { cat /etc/pip.conf ~/.config/pip/pip.conf ~/.pip/pip.conf 2>/dev/null || true; env | grep '^PIP_' || true; } |
        grep -oE '(file://)?/[A-Za-z0-9_./-]+' | sed 's,^file://,,' | sort -u | while read -r path; do
        case $path in
        /etc*) continue ;;
        */simple) path=$(dirname "$path") ;; # an index; its files lie beside it
        esac
        [ -d "$path" ] || continue
        mkdir -p "$root$path"
        mountpoint -q "$root$path" || { mount --bind "$path" "$root$path" && mount -o remount,bind,ro "$root$path"; }
    done
    home=/root
    [ "$user" = root ] || home=/home/$user
    unset CTI_ASTERISK_PREFIX CTI_HOME CTI_LINK_DIR CTI_PYTHON XDG_DATA_HOME XDG_CONFIG_HOME VIRTUAL_ENV
    # shellcheck disable=SC2016  # for the shell inside
    exec chroot "$root" /usr/sbin/runuser -u "$user" -- env HOME="$home" USER="$user" LOGNAME="$user" \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        bash -c 'cd "$HOME/hotline12345" && exec "$@"' bash "$@"
fi

[ $# -ge 2 ] || {
    sed -n '2,14s/^# \{0,1\}//p' "$0"
    exit 2
}
suite=$1 root=$(readlink -f "$2")
shift 2
user=root
if [ "${1:-}" = --user ]; then
    user=$2
    shift 2
fi
[ $# -gt 0 ] || set -- make test

is_root || fail "a root of another release needs root" "sudo setup/try-debian.sh …"
command -v debootstrap >/dev/null || fail "debootstrap is missing" "apt-get install debootstrap"

codename=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
# shellcheck disable=SC2016  # apt fills these in
mirror=$(apt-get indextargets --no-release-info --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
    awk -v suite="$codename" '$2 == suite && $3 == "main" { print $1; exit }')
[ -n "$mirror" ] || fail "this host's apt sources name no Debian mirror" "add one"

if [ ! -e "$root/etc/.made-by-try-debian" ]; then
    step "a $suite root in $root"
    if [ ! -e "$root/etc/debian_version" ]; then
        mkdir -p "$root"
        debootstrap --variant=minbase "$suite" "$root" "$mirror" >"$root.log" 2>&1 || fail \
            "debootstrap failed: $(tail -n 1 "$root.log")" "the whole story: $root.log"
    fi
    printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' "$mirror" "$suite" \
        >"$root/etc/apt/sources.list"
    rm -f "$root"/etc/apt/sources.list.d/*
    date >"$root/etc/.made-by-try-debian"
fi

step "this host's way to the network"
cp -L /etc/resolv.conf "$root/etc/resolv.conf" 2>/dev/null || true
cp -L /etc/hosts "$root/etc/hosts"
# apt: proxies and the like, not what hooks into programs that are not there
for file in /etc/apt/apt.conf.d/*; do
    if grep -Eiq 'Acquire::|Proxy' "$file" && ! grep -Eq 'Post-Invoke|Pre-Install' "$file"; then
        cp -L "$file" "$root/etc/apt/apt.conf.d/"
    fi
done
for file in /etc/pip.conf /etc/npmrc "$HOME/.npmrc" "$HOME/.config/pip/pip.conf"; do
    if [ -r "$file" ]; then
        case $file in
        "$HOME"/*) inside=$root/root${file#"$HOME"} ;;
        *) inside=$root$file ;;
        esac
        mkdir -p "$(dirname "$inside")"
        cp -L "$file" "$inside"
    fi
done
step "what a person has before the first command: git and make"
in_root() { env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive chroot "$root" "$@"; }
if ! in_root sh -c 'command -v make && command -v git && command -v runuser && command -v update-ca-certificates' \
    >/dev/null 2>&1; then
    {
        in_root apt-get -q update &&
            in_root apt-get -q -y --no-install-recommends install make git ca-certificates util-linux
    } >"$root.apt.log" 2>&1 || fail "apt in the new root failed: $(tail -n 1 "$root.apt.log")" \
        "the whole story: $root.apt.log"
fi
# after the package, which writes this file itself
cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"

home=/root
if [ "$user" != root ]; then
    home=/home/$user
    in_root id "$user" >/dev/null 2>&1 || in_root useradd -m -s /bin/bash "$user"
    # what was root's own (pip, npm) is the user's too
    for file in .npmrc .config/pip/pip.conf; do
        if [ -r "$root/root/$file" ]; then
            mkdir -p "$(dirname "$root$home/$file")"
            cp "$root/root/$file" "$root$home/$file"
        fi
    done
fi

step "a clean clone of $(git -C "$CHECKOUT" rev-parse --short HEAD), for $user"
rm -rf "$root$home/hotline12345"
git clone -q --no-hardlinks "$CHECKOUT" "$root$home/hotline12345"
git -C "$root$home/hotline12345" remote remove origin
[ "$user" = root ] || in_root chown -R "$user:" "$home"

step "$*"
exec unshare --mount --pid --fork --kill-child -- "$0" --inside "$root" "$user" "$@"
