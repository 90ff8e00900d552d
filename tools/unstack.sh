#!/usr/bin/env bash
# Stop what tools/stack.sh started, by pid, and nothing else.
#
#   tools/unstack.sh            stop
#   tools/unstack.sh --clean    stop, and remove the state folder as well
#
# Which stack is meant is said by MININOVA_HOME, as for tools/stack.sh.
set -euo pipefail
# shellcheck source=tools/venv.sh
. "$(dirname "${BASH_SOURCE[0]}")/venv.sh"
answer_at_once "$checkout/tools/stack/words.py" down "$@"
ensure_venv stack >&2
exec_stack down "$@"
