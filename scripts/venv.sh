# Sourced by the other scripts, from the top of the checkout:
#
#     . scripts/venv.sh
#     ensure_venv test        # or without a word: only what the daemon needs
#     exec "$PYTHON" …
#
# Makes .venv when it is missing, broken or older than pyproject.toml, and sets PYTHON.
# With OPENPARALLAX_PYTHON set, that interpreter is used as it is and nothing is made.

# Print the first interpreter that is new enough and can make an environment with pip in it.
find_python() {
    for candidate in python3.13 python3.12 python3.11 python3 python3.14; do
        # Debian's python3 has venv without ensurepip, and version managers put names on the
        # path that only print an error: so the question is asked by running it.
        if "$candidate" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' \
            >/dev/null 2>&1; then
            command -v "$candidate"
            return 0
        fi
    done
    return 1
}

# An environment that was moved or copied still points at the old folder, and one whose making
# was cut short has no mark: both are made anew.
venv_is_whole() {
    [ -f .venv/.made-in ] && [ "$(cat .venv/.made-in)" = "$PWD" ] &&
        .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

has_installed() {
    [ -f ".venv/.installed-$1" ] && [ ! pyproject.toml -nt ".venv/.installed-$1" ]
}

# ensure_venv [EXTRAS]: set PYTHON to an interpreter that has the project and its extras.
ensure_venv() {
    if [ -n "${OPENPARALLAX_PYTHON:-}" ]; then
        PYTHON=$OPENPARALLAX_PYTHON
        return 0
    fi
    PYTHON=$PWD/.venv/bin/python
    extras=${1:-}
    if ! venv_is_whole; then
        if ! base=$(find_python); then
            echo "No Python 3.11 or newer that can make an environment was found." >&2
            echo "On Debian and Ubuntu: apt-get install python3-venv" >&2
            return 1
        fi
        echo "Making .venv with $base" >&2
        "$base" -m venv --clear .venv && printf '%s' "$PWD" >.venv/.made-in || return 1
    fi
    # The extras for tests hold all that the daemon alone needs, and not what others add.
    if ! has_installed "${extras:-daemon}" && { [ -n "$extras" ] || ! has_installed test; }; then
        echo "Installing the project into .venv (about a minute)" >&2
        # Python makes bytecode of what it imports; of everything it would take a third longer.
        "$PYTHON" -m pip install -qq --disable-pip-version-check --no-compile \
            -e ".${extras:+[$extras]}" &&
            touch ".venv/.installed-${extras:-daemon}" || return 1
    fi
}
