#!/usr/bin/env bash
# test_arm64.sh: a board's software on emulated ARM processors: unit tests on one, answers of both engines on each.
#
#   ~/.cache/firstline/arm64/root-*    Debian arm64 with the `device` extra, llama.cpp and what the tests need
#   ~/.cache/firstline/wheels/arm64-*  llama.cpp, compiled here for arm64
#
# Both are made once for a set of locks, and kept (XDG_CACHE_HOME moves them). The processors are the boards' own:
# cortex-a53 (Zero 2 W, Pi 3), -a72 (Pi 4), -a76 (Pi 5); what one lacks ends a program there as it would on the board.
# An emulated processor is twenty times slower than this one, so the tests that run on it are those of what was compiled
# for arm64: keys, envelopes, both engines, tokenizers, windows, names, SQLite on disks. TESTS names others.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly models=(cortex-a53 cortex-a72 cortex-a76) tested_on=cortex-a72
readonly chosen=(
  tests/unit/wire
  tests/unit/package/test_{home_nlu,llama,onnx,records,tokenize,windows}.py
  tests/unit/agent/test_{disks,names,outputs}.py
  tests/unit/core/test_{masking,window_input}.py
)
read -ra tests <<<"${TESTS:-${chosen[*]}}"
readonly cache=${XDG_CACHE_HOME:-$HOME/.cache}/firstline python=${PYTHON:-python3}
readonly handler=/proc/sys/fs/binfmt_misc/qemu-aarch64

say() { echo "arm64: $*" >&2; }

give_up() {
  say "$*"
  exit 1
}

skip() {
  echo "arm64: skipped: $*"
  exit 0
}

# Programs of ours start others (the engines' children), so the kernel itself has to know what to do with them.
look_for_emulator() {
  [[ $(uname -m) != aarch64 ]] || skip "this machine has an ARM processor itself: make test runs on it"
  [[ $(id -u) = 0 ]] || skip "only root can make and enter another root file system: sudo make test-arm64"
  if [[ ! -e $handler ]]; then
    mountpoint --quiet /proc/sys/fs/binfmt_misc || mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc 2>/dev/null ||
      skip "this kernel has no binfmt_misc, or this container may not mount it"
    update-binfmts --enable qemu-aarch64 >/dev/null 2>&1 || true
  fi
  grep --quiet '^flags:.*F' "$handler" 2>/dev/null ||
    skip "the kernel starts no arm64 programs: qemu-aarch64 is not registered with binfmt_misc"
}

# An emulator that computes what a processor lacks would prove nothing: a dot product is of cortex-a76 alone.
look_whether_it_is_strict() {
  printf '%s\n' 'int main(void) { __asm__(".arch armv8.2-a+dotprod\n sdot v0.4s, v1.16b, v2.16b"); }' |
    aarch64-linux-gnu-gcc -static -x c - -o "$work/dot"
  QEMU_CPU=cortex-a76 "$work/dot" || give_up "the emulator does not compute what cortex-a76 does"
  # shellcheck disable=SC2016 # a shell of its own, to be silent about how it ended
  if QEMU_CPU=cortex-a53 sh -c '"$0"; exit $?' "$work/dot" 2>/dev/null; then
    give_up "the emulator computes what cortex-a53 lacks"
  fi
}

# What /proc/cpuinfo says on such a board: libraries look there for what the processor can do.
cpu_info() {
  local part features="fp asimd evtstrm crc32 cpuid" processor
  case $1 in
    cortex-a53) part=0xd03 ;;
    cortex-a72) part=0xd08 ;;
    cortex-a76)
      part=0xd0b
      features="fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp"
      ;;
  esac
  for processor in $(seq 0 $(($(nproc) - 1))); do
    printf '%s\t: %s\n' processor "$processor" Features "$features" "CPU implementer" 0x41 "CPU architecture" 8 \
      "CPU variant" 0x0 "CPU part" "$part" "CPU revision" 3
    echo
  done
}

# Runs a command in the root file system on a processor, with our wheel at /ours, our source at /source.
# The shell stays, as process 1: a signal that ends others does not end process 1.
inside() {
  local model=$1
  shift
  cpu_info "$model" >"$work/cpuinfo"
  # shellcheck disable=SC2016 # the words are for the inner shell
  QEMU_CPU=$model unshare --mount --pid --fork --kill-child sh -euc '
    root=$1 source=$2 work=$3
    shift 3
    mount --bind "$source" "$root/source"
    mount -o remount,bind,ro "$root/source"
    mount --bind "$work/ours" "$root/ours"
    mount -t proc proc "$root/proc"
    mount --bind "$work/cpuinfo" "$root/proc/cpuinfo"
    mount -t sysfs -o ro sysfs "$root/sys"
    mount -t tmpfs tmpfs "$root/tmp"
    mount -t tmpfs tmpfs "$root/dev/shm"
    status=0
    chroot "$root" env -i HOME=/root PATH=/opt/firstline/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
      PYTHONDONTWRITEBYTECODE=1 HYPOTHESIS_STORAGE_DIRECTORY=/tmp "QEMU_CPU=$QEMU_CPU" "$@" || status=$?
    exit "$status"
  ' sh "$root" "$PWD" "$work" "$@"
}

make_root() {
  local fresh=$root.new platforms=() minor wheels
  rm -rf --one-file-system "$fresh"
  mkdir -p "$fresh"
  say "making a Debian arm64 root file system in $root, some 10 minutes"
  debootstrap --arch arm64 --variant=minbase --include=libgomp1,mosquitto,python3-venv bookworm "$fresh" \
    >"$fresh.log" 2>&1 || { tail "$fresh.log" >&2; give_up "debootstrap failed: see $fresh.log"; }
  mkdir -p "$fresh/source" "$fresh/ours" "$fresh/wheels"

  say "fetching wheels for arm64"
  for minor in $(seq 17 36); do platforms+=(--platform "manylinux_2_${minor}_aarch64"); done # Debian 12 has glibc 2.36
  for lock in "${locks[@]}"; do
    "$python" -m pip download --quiet --disable-pip-version-check --only-binary :all: --python-version 3.11 \
      --platform manylinux2014_aarch64 "${platforms[@]}" --require-hashes -r "$lock" --dest "$fresh/wheels" >&2
  done
  cp "$llama" "${locks[@]}" "$fresh/wheels"

  say "installing them"
  wheels="pip install --quiet --no-index --find-links /wheels"
  root=$fresh inside "$tested_on" sh -euc "
    python3 -m venv /opt/firstline
    for lock in device test llama; do $wheels --require-hashes -r /wheels/\$lock.lock; done
    $wheels --no-deps /wheels/$(basename "$llama")
    echo /ours >\$(echo /opt/firstline/lib/python3*/site-packages)/ours.pth
    rm -r /wheels"
  mv "$fresh" "$root"
}

# A question to a small model on one processor, and what it said.
answer() {
  local model=$1 engine=$2 package=$3 domain=$4 said
  said=$(inside "$model" python -m firstline ask "turn on the lights in the kitchen" \
    --package "$package" --domain "$domain" --json) || give_up "$engine on $model: $said"
  printf '%-12s %-12s %s\n' "$model" "$engine" "$(python3 -c 'import json, sys
said = json.loads(sys.argv[1])
print(said["model"], "says", said["answer"], "(%.1f%% sure)" % (100 * said["confidence"]))' "$said")"
}

look_for_emulator
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
look_whether_it_is_strict
llama=$(PYTHON=$python scripts/llama_wheel.sh arm64 "$cache/wheels")
sed '/^llama-cpp-python==/,/--hash=/d' locks/llama.lock >"$work/llama.lock" # the wheel was made from that archive
locks=(locks/device.lock locks/test.lock "$work/llama.lock")
recipe=$(cat "${locks[@]}" <(basename "$(dirname "$llama")") |
  sha256sum | cut -c1-12)
root=$cache/arm64/root-$recipe
mkdir -p "$cache/arm64"
mkdir "$work/ours" "$work/wheel"
[[ -d $root ]] || make_root
"$python" -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir "$work/wheel" .
"$python" -m zipfile -e "$work"/wheel/*.whl "$work/ours"

echo "processor    engine       answer"
for model in "${models[@]}"; do
  answer "$model" onnxruntime commands-small home
  answer "$model" llama.cpp home-nlu home/nlu
done
echo "unit tests on $tested_on: ${tests[*]}"
# shellcheck disable=SC2016 # words for the inner shell
inside "$tested_on" sh -c 'cd /source && exec python -m pytest -q -p no:cacheprovider -o faulthandler_timeout=900 \
  -n "$(nproc)" --timeout 900 "$@"' \
  sh "${tests[@]}"
