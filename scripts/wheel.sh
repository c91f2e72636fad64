# Sourced by the scripts that build from this checkout, from the top of it:
#
#     . scripts/wheel.sh
#     alone PYTHON -m pip install ".[binary]"
#     build_wheel PYTHON FOLDER
#
# setuptools builds in the checkout itself, in build/lib and build/bdist.*: two at the same time would
# take each other's files away.

# alone COMMAND…: run it while no other script builds here.
alone() {
    mkdir -p build
    (
        if command -v flock >/dev/null; then
            exec 8>build/lock
            flock 8
        fi
        # What setuptools left of an earlier build would go into this one, files that are gone too.
        rm -rf build/lib
        "$@" || exit
        rm -rf build/lib
    )
}

# build_wheel PYTHON FOLDER: put the wheel, and nothing else, into FOLDER.
build_wheel() {
    rm -rf "$2"
    alone "$1" -m pip wheel -qq --disable-pip-version-check --no-deps --wheel-dir "$2" .
}
