#!/usr/bin/env bash
# Install Debian's chromium, and Inter, the typeface that the page of mininova-flow is set in where it is there.
#
# The page is tested in it, headless (tests/browser).  A machine that has one already is not touched.
#
# tools/run-tests.sh runs this as root or through sudo; by hand:
#
#   sudo tools/install-chromium.sh
#   tools/install-chromium.sh missing     name the packages, and install nothing
set -euo pipefail
# shellcheck source=tools/apt.sh
. "$(dirname "${BASH_SOURCE[0]}")/apt.sh"

missing=()
[ -x /usr/bin/chromium ] || missing+=(chromium fonts-inter)
if [ "${1:-}" = missing ]; then
    echo "${missing[*]}"
    exit 0
fi
if [ ${#missing[@]} = 0 ]; then exit 0; fi
require_apt "install Chromium its own way, as /usr/bin/chromium."
apt update || echo "    apt-get update had a complaint; going on with the lists that are here." >&2
apt install -y --no-install-recommends "${missing[@]}"
echo "    ${missing[*]}: installed."
