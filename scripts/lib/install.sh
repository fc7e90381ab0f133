# Shared by the install scripts; sourced, from the workspace's root.

tools=${MILLRACE_TOOLS:-$PWD/.millrace/tools}

can_be_root() {
    [ "$(id -u)" = 0 ] || command -v sudo >/dev/null
}

# Where nobody sits at a terminal, sudo must not wait for a password.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif [ -t 0 ]; then
        sudo "$@"
    else
        sudo -n "$@"
    fi
}

# Asks for the package lists first only if that turns out to be necessary.
apt_install() {
    local quietly=(env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends)
    as_root "${quietly[@]}" "$@" >/dev/null 2>&1 && return
    as_root apt-get update -qq && as_root "${quietly[@]}" "$@" >/dev/null
}

# The first Python that runs and is at least 3.$1 (and at most 3.$2). pyenv leaves commands on the
# PATH that only print an error, so each is tried.
python_from() {
    local candidate
    for candidate in python3 python3.{14,13,12,11,10} "$HOME"/.pyenv/versions/3.*/bin/python; do
        if "$candidate" -c "import sys; sys.exit(not $1 <= sys.version_info[1] <= ${2:-99})" \
            >/dev/null 2>&1; then
            echo "$candidate"
            return
        fi
    done
    return 1
}

# A fresh virtual environment at $1. Debian's python3 cannot make one without a package.
make_venv() {
    local python
    python=$(python_from 10) || { apt_install python3 && python=$(python_from 10); } || return
    rm -rf "$1"
    "$python" -m venv "$1" >/dev/null 2>&1 && return
    apt_install python3-venv && "$python" -m venv --clear "$1"
}
