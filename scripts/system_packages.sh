#!/usr/bin/env bash
# system_packages.sh python|mosquitto|compiler|images|containers|arm64|systemd|machine ...: installs the Debian packages that are missing, and says so.
# What is there already is left alone, and then this needs neither apt-get nor root.
set -euo pipefail
export PATH=$PATH:/usr/sbin:/sbin # where Debian keeps mosquitto

readonly python=${PYTHON:-python3}
readonly policy=/usr/sbin/policy-rc.d # invoke-rc.d(8): exit code 101 means "start nothing"
missing=()

main() {
  for need in "$@"; do
    case $need in
      python) look_for_python ;;
      compiler) command -v c++ >/dev/null || missing+=(g++) ;;
      images) look_for buildah buildah podman podman debootstrap debootstrap ;;
      containers) look_for podman podman crun crun podman-compose podman-compose netavark netavark aardvark-dns aardvark-dns ;;
      arm64)
        look_for debootstrap debootstrap qemu-aarch64-static qemu-user-static update-binfmts binfmt-support \
          aarch64-linux-gnu-g++ g++-aarch64-linux-gnu cmake cmake ninja ninja-build
        ;;
      systemd) look_for debootstrap debootstrap pgrep procps ;;
      machine) look_for qemu-system-x86_64 qemu-system-x86 mke2fs e2fsprogs ;;
      mosquitto) command -v mosquitto >/dev/null || missing+=(mosquitto) ;;
      *) fail "usage: $0 python|mosquitto|compiler|images|containers|arm64|systemd|machine ..." ;;
    esac
  done
  if [ "${#missing[@]}" != 0 ]; then install_missing; fi
}

# Pairs: a program, and the Debian package that brings it.
look_for() {
  while [ $# != 0 ]; do
    command -v "$1" >/dev/null || [ -x "/usr/lib/podman/$1" ] || missing+=("$2")
    shift 2
  done
}

look_for_python() {
  if ! command -v "$python" >/dev/null; then
    [ "$python" = python3 ] || fail "there is no '$python' here"
    missing+=(python3 python3-venv)
    return
  fi
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "Python 3.11 or newer is needed and '$python' is $("$python" --version): name another with PYTHON=..."
  "$python" -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
}

install_missing() {
  local by_hand="apt-get install ${missing[*]}"
  command -v apt-get >/dev/null || fail "this needs ${missing[*]}, and there is no apt-get here: install it by hand"
  if [ "$(id -u)" = 0 ]; then
    echo "firstline: installing ${missing[*]} with apt-get"
  elif command -v sudo >/dev/null; then
    echo "firstline: installing ${missing[*]} with apt-get (sudo may ask for your password)"
  else
    fail "this needs ${missing[*]}; you are not root and there is no sudo: run '$by_hand' as root"
  fi

  start_no_broker
  as_root apt-get update -qq </dev/null || fail "apt-get update failed: its reason is above"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends "${missing[@]}" \
    </dev/null >/dev/null || fail "'$by_hand' failed: its reason is above"
  disable_broker
}

# Debian starts a broker on port 1883 when mosquitto is installed. Ours are started by firstline, on ports of their
# own, so the one that this installation would bring is not started, neither now nor at the next boot.
start_no_broker() {
  if ! installs_mosquitto || [ -e "$policy" ]; then return; fi
  trap 'as_root rm -f "$policy"' EXIT
  # shellcheck disable=SC2016 # $1 is for the inner shell
  as_root sh -c 'printf "#!/bin/sh\nexit 101\n" >"$1" && chmod 755 "$1"' sh "$policy"
}

disable_broker() {
  if installs_mosquitto && command -v systemctl >/dev/null; then
    as_root systemctl --quiet disable mosquitto.service >/dev/null 2>&1 || true
  fi
}

installs_mosquitto() {
  [[ " ${missing[*]} " == *" mosquitto "* ]]
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

fail() {
  printf 'firstline: %s\n' "$@" >&2
  exit 1
}

main "$@"
