#!/usr/bin/env bash
# Install Debian's redis-server, but no server for the whole machine: the tests run private ones.
#
# The transport by plain kombu is tested over it (mininova/rpc/transports/kombu.py).  A machine that has one already is
# not touched, nor is a server that runs.
#
# tools/run-tests.sh runs this as root or through sudo; by hand:
#
#   sudo tools/install-redis.sh
#   tools/install-redis.sh missing     name the package, and install nothing
set -euo pipefail
# shellcheck source=tools/apt.sh
. "$(dirname "${BASH_SOURCE[0]}")/apt.sh"

missing=()
[ -x /usr/bin/redis-server ] || missing+=(redis-server)
if [ "${1:-}" = missing ]; then
    echo "${missing[*]}"
    exit 0
fi
if [ ${#missing[@]} = 0 ]; then exit 0; fi
require_apt "install Redis its own way, with redis-server in /usr/bin."
install_stopped redis-server.service -- "${missing[@]}"
echo "    ${missing[*]}: installed, and no server of it was started."
