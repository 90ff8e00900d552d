#!/usr/bin/env bash
# Run everything that must hold, from nothing but Debian and Python: lint, types, import rules, generated files, unit,
# functional and integration tests.  The last lines say what was run, how long each took, and how many tests passed.
#
#   tools/run-tests.sh                 all of it
#   tools/run-tests.sh unit lint       these (tools/checks.py has the table)
#
# The integration tests start real stacks: RabbitMQ is installed if it is not there, as tools/stack.sh would do.
set -euo pipefail
# shellcheck source=tools/venv.sh
. "$(dirname "${BASH_SOURCE[0]}")/venv.sh"
ensure_venv stack,test
(exec_stack install)
exec "$venv/bin/python" "$checkout/tools/checks.py" "$@"
