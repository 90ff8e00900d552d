#!/usr/bin/env bash
# Fetch Qpid Broker-J into the virtual environment, and install Debian's Java and Maven if they are not there.
#
# Its jars come from where Maven takes all of its things; tools/qpid/pom.xml names them with their versions.  They lie
# in .venv/share/qpid-broker-j, and nothing is started.  MININOVA_BROKER=qpid tools/stack.sh runs this; by hand:
#
#   tools/install-qpid.sh
set -euo pipefail
tools=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tools/venv.sh
. "$tools/venv.sh"

missing=()
command -v java >/dev/null || missing+=(default-jre-headless)
command -v mvn >/dev/null || missing+=(maven)
if [ ${#missing[@]} != 0 ]; then
    echo "Installing Debian's ${missing[*]}."
    { as_root apt-get update -qq && as_root apt-get install -y -qq --no-install-recommends "${missing[@]}"; } </dev/null >&2 ||
        fail "Qpid needs Java 17 or later, and Maven. Run: sudo apt-get install ${missing[*]}"
fi

jars=$venv/share/qpid-broker-j
fresh=$(mktemp -d "$venv/qpid-XXXXXX")
trap 'rm -rf "$fresh"' EXIT
mvn --quiet --batch-mode -Dstyle.color=never --file "$tools/qpid/pom.xml" dependency:copy-dependencies \
    -DincludeTypes=jar -DoutputDirectory="$fresh/jars" </dev/null >&2
mkdir -p "$venv/share"
rm -rf "$jars"
mv "$fresh/jars" "$jars"
echo "    Qpid Broker-J lies in ${jars#"$checkout/"}."
