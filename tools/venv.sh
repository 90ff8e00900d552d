# Make the checkout's virtual environment, .venv, and install mininova into it.  Sourced by the scripts beside it.
#
#   ensure_venv stack          what tools/stack.sh needs
#   ensure_venv stack,test     what tools/run-tests.sh needs
#
# It installs again only when pyproject.toml has changed since, so that a second start costs nothing.

checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=$checkout/.venv

# Run a command as root, if that can be done without asking for a password.
as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

fail() {
    echo "${0##*/}: $*" >&2
    exit 1
}

# The range is that of mininova/cmd/__init__.py.
is_supported() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null; }

no_python="mininova needs a Python from 3.11 to 3.14. Run: sudo apt-get install python3 python3-venv"

find_python() {
    local name
    for name in "$venv/bin/python" python3 python3.14 python3.13 python3.12 python3.11 /usr/bin/python3; do
        if command -v "$name" >/dev/null && is_supported "$name"; then
            command -v "$name"
            return
        fi
    done
    return 1
}

# Debian keeps the part of Python that makes virtual environments in a package of its own.
require_venv_module() {
    local python=$1 package
    if "$python" -c 'import ensurepip, venv' 2>/dev/null; then return; fi
    package=$("$python" -c 'import sys; print("python3.%d-venv" % sys.version_info.minor)')
    echo "Python's venv module is missing: installing Debian's $package."
    if ! { as_root apt-get update -qq && as_root apt-get install -y -qq --no-install-recommends "$package"; } </dev/null; then
        fail "Python cannot make virtual environments here. Run: sudo apt-get install $package"
    fi
}

# Install packages, each compiled, into the virtual environment of a Python: by uv, which takes seconds where pip takes a
# minute or two; and by pip where there is no uv for this machine, or it finds no packages, for it reads no pip.conf.
#
#   install_with PYTHON PACKAGE…
install_with() {
    local python=$1 quiet=(--quiet --disable-pip-version-check)
    shift
    if "$python" -m pip install "${quiet[@]}" --only-binary uv "uv>=0.9,<1" </dev/null; then
        if "$python" -m uv pip install --python "$python" --link-mode copy --compile-bytecode "$@" </dev/null 2>&1 |
            sed -uE '/^ *([+~-] |Download)/d; s/^ */    /'; then
            return
        fi
    fi
    echo "    uv could not install that: trying pip."
    "$python" -m pip install "${quiet[@]}" "$@" </dev/null
}

ensure_venv() {
    local extras=$1 python
    local stamp=$venv/.mininova-$extras wanted
    wanted=$(sha256sum <"$checkout/pyproject.toml")
    exec 9<"$checkout"
    flock 9 # two scripts that start together make one environment
    # One that was made for more extras has these, too: its stamp's name begins as ours.
    # An installation that was broken off leaves packages that pip takes for whole.
    if [ -e "$venv/.unfinished" ]; then rm -rf "$venv"; fi
    if ! grep -qsxF "$wanted" "$stamp"* || [ ! -x "$venv/bin/python" ]; then
        if [ ! -x "$venv/bin/python" ]; then
            python=$(find_python) || fail "$no_python"
            require_venv_module "$python"
            echo "Making a virtual environment in .venv (with $python)."
            "$python" -m venv "$venv" || fail "$venv could not be made."
        fi
        echo "Installing mininova and what it needs into .venv."
        touch "$venv/.unfinished"
        install_with "$venv/bin/python" -e "$checkout[$extras]" ||
            { rm "$venv/.unfinished" && fail "pip could not install what mininova needs; its complaint is above."; }
        echo "$wanted" >"$stamp"
        rm "$venv/.unfinished"
    fi
    exec 9<&-
}

# Answer at once what needs no virtual environment: a call for help, and words that mean nothing.  Words that are to be
# done return.
#
#   answer_at_once FILE WORD…     FILE ends with 64 for these, and with the exit code of the script for the others
answer_at_once() {
    local python code=0
    python=$(find_python) || fail "$no_python"
    "$python" -B "$@" || code=$?
    if [ "$code" != 64 ]; then exit "$code"; fi
}

# Run the stack's own program, in place of this script.
exec_stack() {
    exec env PYTHONPATH="$checkout/tools" "$venv/bin/python" -m stack "$@"
}
