#!/usr/bin/env bash
# Start a whole mininova on this machine: broker, database, services, a first server, and the flow of its boot.
#
#   tools/stack.sh                     start (does nothing when it is up)
#   tools/stack.sh status              its processes
#   tools/stack.sh logs SERVICE        the end of a log
#   tools/stack.sh restart SERVICE     stop a service and start it again
#   tools/stack.sh add-compute NAME    one compute more
#   tools/stack.sh broker              only a private broker, and its URL on the standard output
#   tools/stack.sh help                all commands, and the variables it goes by
#   tools/unstack.sh [--clean]         stop, and with --clean forget everything
#
# This file makes the virtual environment; the rest is Python, in tools/stack.
set -euo pipefail
# shellcheck source=tools/venv.sh
. "$(dirname "${BASH_SOURCE[0]}")/venv.sh"
answer_at_once "$checkout/tools/stack/words.py" "$@"
ensure_venv stack >&2
exec_stack "$@"
