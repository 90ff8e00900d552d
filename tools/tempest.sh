#!/usr/bin/env bash
# Run OpenStack's own tests of the Compute API, Tempest's, against the stack that runs.
#
#   tools/tempest.sh                   all of tempest.api.compute (some minutes)
#   tools/tempest.sh 'servers\.'       those whose name matches, after tempest.api.compute
#
# Tempest is installed into an environment of its own, .tempest.  Which stack is meant is said by MININOVA_HOME, as for
# tools/stack.sh.  It ends with 1 if a test failed, or was skipped for a reason that tools/run_tempest.py does not know.
# MININOVA_TEMPEST_MIN=2.79 has all tests ask in that microversion at least.
set -euo pipefail
# shellcheck source=tools/venv.sh
. "$(dirname "${BASH_SOURCE[0]}")/venv.sh"
ensure_venv stack >&2
wanted="tempest>=47,<48"
if [ "$(cat "$checkout/.tempest/.wanted" 2>/dev/null)" != "$wanted" ]; then
    echo "Installing Tempest into .tempest." >&2
    "$venv/bin/python" -m venv --clear "$checkout/.tempest" || fail "$checkout/.tempest could not be made."
    install_with "$checkout/.tempest/bin/python" "$wanted" >&2 ||
        fail "pip could not install Tempest; its complaint is above."
    echo "$wanted" >"$checkout/.tempest/.wanted"
fi
exec env PYTHONPATH="$checkout/tools" "$venv/bin/python" "$checkout/tools/run_tempest.py" "$@"
