#!/bin/sh
# Installs what the build needs, builds Mynah, and runs it or its tests.
#
#   ./setup.sh              builds target/release/mynah
#   ./setup.sh FILE...      builds it and transcribes the files
#   ./setup.sh test [ARG…]  runs the tests, as `cargo test` with these arguments
#
# Two things must come from the system: a C compiler, which assembles the inference kernels and
# links, and ALSA's headers, for the microphone. What is missing is installed with the system's
# package manager, through sudo unless run by root. MYNAH_NO_INSTALL=1 installs nothing.
# Without ALSA's headers everything but the microphone is built.
set -eu

root=$(cd "$(dirname "$0")" && pwd)

say() { echo "setup: $*" >&2; }

die() {
    say "$*"
    exit 1
}

# Standard output is left to the transcript.
run() {
    say "$*"
    "$@" >&2
}

has_c_compiler() {
    probe=$(mktemp -d)
    echo '#include <stdlib.h>
int main(void) { return EXIT_SUCCESS; }' >"$probe/probe.c"
    status=0
    cc -o "$probe/probe" "$probe/probe.c" 2>/dev/null || status=1
    rm -r "$probe"
    return $status
}

# ALSA is Linux's; other systems' microphones need no headers.
has_alsa() { [ "$(uname)" != Linux ] || pkg-config --exists alsa 2>/dev/null; }

# install_packages WHAT FOR_APT FOR_DNF FOR_PACMAN
install_packages() {
    if [ "${MYNAH_NO_INSTALL:-0}" = 1 ]; then
        say "$1 not found, and not installed because MYNAH_NO_INSTALL=1"
        return 1
    fi
    sudo=
    if [ "$(id -u)" != 0 ]; then
        sudo=sudo
        if ! command -v sudo >/dev/null; then
            say "$1 not found, and neither root nor sudo to install it"
            return 1
        fi
    fi
    say "$1 not found: installing"
    if command -v apt-get >/dev/null; then
        run $sudo apt-get update || say "going on with the package lists at hand"
        run $sudo apt-get install -y --no-install-recommends $2
    elif command -v dnf >/dev/null; then
        run $sudo dnf install -y $3
    elif command -v pacman >/dev/null; then
        run $sudo pacman -S --needed --noconfirm $4
    else
        say "none of apt-get, dnf and pacman found to install it with"
        return 1
    fi
}

# A shell opened before rustup ran does not know where cargo is.
if ! command -v cargo >/dev/null && [ -f "$HOME/.cargo/env" ]; then
    . "$HOME/.cargo/env"
fi
command -v cargo >/dev/null || die "cargo not found: install Rust from https://rustup.rs and run this again"

has_c_compiler || install_packages "a C compiler" "gcc libc6-dev" "gcc glibc-devel" gcc || true
has_c_compiler || die "cannot build without a C compiler: install gcc and run this again"

features=
has_alsa || install_packages "ALSA's headers" \
    "libasound2-dev pkg-config" "alsa-lib-devel pkgconf-pkg-config" "alsa-lib pkgconf" || true
if ! has_alsa; then
    say "building without the microphone; \`mynah listen\` needs libasound2-dev and pkg-config (Debian's names)"
    features="--no-default-features --features cli,measure,serve,builtin-model"
fi

case ${1:-} in
test)
    shift
    exec cargo test --release --locked --manifest-path "$root/Cargo.toml" $features "$@"
    ;;
"")
    exec cargo build --release --locked --manifest-path "$root/Cargo.toml" $features
    ;;
*)
    exec cargo run --release --locked --manifest-path "$root/Cargo.toml" $features -- transcribe "$@"
    ;;
esac
