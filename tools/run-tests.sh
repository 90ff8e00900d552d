#!/usr/bin/env bash
# Run everything that must hold, from nothing but Debian and Python: lint, types, import rules, generated files, unit,
# functional and integration tests.  The last lines say what was run, how long each took, and how many tests passed.
#
#   tools/run-tests.sh                 all of it
#   tools/run-tests.sh unit lint       these (tools/checks.py has the table)
#   tools/run-tests.sh help            what there is
#
# Tests start real stacks, and PostgreSQL, MariaDB, Qpid, Redis and Chromium of their own: this installs what is not there,
# and starts none of it for good.
set -euo pipefail
# shellcheck source=tools/venv.sh
. "$(dirname "${BASH_SOURCE[0]}")/venv.sh"
answer_at_once "$checkout/tools/checks.py" --look "$@"
ensure_venv stack,test
(exec_stack install)
if [ -n "$("$checkout/tools/install-databases.sh" missing)" ]; then
    as_root "$checkout/tools/install-databases.sh" || fail "Run: sudo tools/install-databases.sh"
fi
if [ ! -d "$venv/share/qpid-broker-j" ]; then "$checkout/tools/install-qpid.sh"; fi
if [ -n "$("$checkout/tools/install-redis.sh" missing)" ]; then
    as_root "$checkout/tools/install-redis.sh" || fail "Run: sudo tools/install-redis.sh"
fi
if [ -n "$("$checkout/tools/install-chromium.sh" missing)" ]; then
    as_root "$checkout/tools/install-chromium.sh" || fail "Run: sudo tools/install-chromium.sh"
fi
exec "$venv/bin/python" "$checkout/tools/checks.py" "$@"
