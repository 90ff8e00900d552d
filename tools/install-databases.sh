#!/usr/bin/env bash
# Install Debian's PostgreSQL and MariaDB, but no server for the whole machine: the tests run private ones.
#
# Of MariaDB the parts without a service are enough.  PostgreSQL's package makes an empty cluster, which stays stopped.
# A program that the machine has already is not touched, nor is a server that runs.
#
# tools/run-tests.sh runs this as root or through sudo; by hand:
#
#   sudo tools/install-databases.sh
#   tools/install-databases.sh missing     name the packages, and install nothing
set -euo pipefail
# shellcheck source=tools/apt.sh
. "$(dirname "${BASH_SOURCE[0]}")/apt.sh"

missing=()
compgen -G "/usr/lib/postgresql/*/bin/postgres" >/dev/null || missing+=(postgresql)
[ -x /usr/sbin/mariadbd ] && [ -x /usr/bin/my_print_defaults ] || missing+=(mariadb-server-core mariadb-client-core)
if [ "${1:-}" = missing ]; then
    echo "${missing[*]}"
    exit 0
fi
if [ ${#missing[@]} = 0 ]; then exit 0; fi
require_apt "install PostgreSQL and MariaDB its own way, with initdb, postgres, mariadb-install-db and mariadbd on the PATH."
install_stopped postgresql.service -- "${missing[@]}"
echo "    ${missing[*]}: installed, and no server of it was started."
