# Install Debian packages, but none of the services that come with them.  Sourced by the install-*.sh beside it.
#
#   install_stopped rabbitmq-server.service -- rabbitmq-server
#
# mininova needs programs only: what it runs is private.  Left alone, a package would start its server for the whole
# machine as it installs, and again at each boot.  So while apt-get runs, policy-rc.d (Debian's way to say which
# services may start) refuses these units, and afterwards they stay disabled.  What the machine ran before goes on.

policy=/usr/sbin/policy-rc.d
kept=$policy.before-mininova
mark="Written by mininova's tools/apt.sh for one run of apt-get: remove it if none is running."

# End here unless packages can be installed; $1 says what to do by hand, where they are not Debian's.
require_apt() {
    if [ "$(id -u)" != 0 ]; then
        echo "Only root may install packages. Run: sudo $0" >&2
        exit 1
    fi
    if ! command -v apt-get >/dev/null; then
        echo "This machine has no apt-get: $1" >&2
        exit 1
    fi
    exec 9>/run/lock/mininova-install
    flock 9
}

refuse_services() {
    local patterns
    patterns=$(printf '*%s*|' "${@%%[.@]*}")
    if [ -e "$policy" ] && ! grep -qF "$mark" "$policy"; then mv "$policy" "$kept"; fi
    cat >"$policy" <<END
#!/bin/sh
# $mark
case "\$*" in ${patterns%|}) exit 101 ;; esac
[ ! -x $kept ] || exec $kept "\$@"
END
    chmod 755 "$policy"
}

allow_services() {
    if [ -e "$kept" ]; then mv -f "$kept" "$policy"; else rm -f "$policy"; fi
}

# apt's lines as they come, so that the wait has a face; its errors go to stderr untouched.
apt() {
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" </dev/null |
        sed -un -E 's/^(Get:|Unpacking |Setting up )/    \1/p'
}

# Tell whether a service was to start at boot before we came.
is_on() {
    if command -v systemctl >/dev/null; then
        systemctl --quiet is-enabled "$1" 2>/dev/null
    else
        [ -e "/etc/init.d/${1%.service}" ]
    fi
}

disable() {
    if command -v systemctl >/dev/null; then
        systemctl --quiet disable "$1" 2>/dev/null || true
    elif [ -e "/etc/init.d/${1%.service}" ]; then
        update-rc.d "${1%.service}" disable
    fi
}

# Install the packages after --, with the units before it refused meanwhile, and disabled afterwards if they are new.
install_stopped() {
    local units=() new=() unit
    while [ "$1" != -- ]; do units+=("$1") && shift; done
    shift
    for unit in "${units[@]}"; do is_on "$unit" || new+=("$unit"); done
    trap allow_services EXIT
    refuse_services "${units[@]}"
    apt update || echo "    apt-get update had a complaint; going on with the lists that are here." >&2
    apt install -y --no-install-recommends "$@"
    for unit in "${new[@]}"; do disable "$unit"; done
}
