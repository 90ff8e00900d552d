#!/usr/bin/env bash
# Install Debian's rabbitmq-server, but not a node for the whole machine.
#
# mininova needs the program only: tools/stack.sh runs a private node of its own.  Left alone, the package would
# start a node as it installs, again at each boot, and let Erlang's epmd listen on every interface.  So while apt-get
# runs, policy-rc.d (Debian's way to say which services may start) refuses these two, and afterwards their units
# stay disabled.  A machine that has the package already is not touched.
#
# tools/stack.sh runs this as root or through sudo; by hand:  sudo tools/install-rabbitmq.sh
set -euo pipefail

policy=/usr/sbin/policy-rc.d
kept=$policy.before-mininova
mark="Written by mininova's install-rabbitmq.sh for one run of apt-get: remove it if none is running."

installed() { dpkg-query -W -f='${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed; }

refuse_services() {
    if [ -e "$policy" ] && ! grep -qF "$mark" "$policy"; then mv "$policy" "$kept"; fi
    cat >"$policy" <<END
#!/bin/sh
# $mark
case "\$*" in *rabbitmq-server* | *epmd*) exit 101 ;; esac
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

if [ "$(id -u)" != 0 ]; then
    echo "Only root may install packages. Run: sudo $0" >&2
    exit 1
fi
if ! command -v apt-get >/dev/null; then
    echo "This machine has no apt-get: install RabbitMQ its own way, then set RABBITMQ_SERVER to its rabbitmq-server." >&2
    exit 1
fi

exec 9>/run/lock/mininova-install-rabbitmq
flock 9
if installed rabbitmq-server; then exit 0; fi
units=(rabbitmq-server.service)
installed erlang-base || units+=(epmd.service epmd.socket)

trap allow_services EXIT
refuse_services
apt update || echo "    apt-get update had a complaint; going on with the lists that are here." >&2
apt install -y --no-install-recommends rabbitmq-server

if command -v systemctl >/dev/null; then
    systemctl --quiet disable "${units[@]}" 2>/dev/null || true
else
    update-rc.d rabbitmq-server disable
fi
echo "    RabbitMQ is installed; its system-wide service is off (sudo systemctl enable --now rabbitmq-server)."
