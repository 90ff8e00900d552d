#!/usr/bin/env bash
# Install Debian's rabbitmq-server, but not a node for the whole machine.
#
# mininova needs the program only: tools/stack.sh runs a private node of its own.  Left alone, the package would
# start a node, and let Erlang's epmd listen on every interface.  A machine that has the package already is not touched.
#
# tools/stack.sh runs this as root or through sudo; by hand:  sudo tools/install-rabbitmq.sh
set -euo pipefail
# shellcheck source=tools/apt.sh
. "$(dirname "${BASH_SOURCE[0]}")/apt.sh"

require_apt "install RabbitMQ its own way, then set RABBITMQ_SERVER to its rabbitmq-server."
if dpkg-query -W -f='${db:Status-Status}\n' rabbitmq-server 2>/dev/null | grep -qx installed; then exit 0; fi
install_stopped rabbitmq-server.service epmd.service epmd.socket -- rabbitmq-server
echo "    RabbitMQ is installed; its system-wide service is off (sudo systemctl enable --now rabbitmq-server)."
