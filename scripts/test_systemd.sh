#!/usr/bin/env bash
# test_systemd.sh [machine]: agent and worker as services of a real systemd, by the commands that README.md gives.
#
#   ~/.cache/firstline/systemd/root-*    Debian with systemd, mosquitto, a kernel, the `device` and `worker` extras
#   ~/.cache/firstline/systemd/disk-*    the same as a disk, for `machine`
#
# They are made once for a set of locks, and kept (XDG_CACHE_HOME moves them); what a run writes is thrown away. systemd
# is process 1 of namespaces of its own: it sees no other process, file system or network. `machine` starts it, with a
# kernel of its own, in an emulated machine instead: slower, and with all that a kernel grants, limits on memory too.
# What is done there is in services.sh.
# shellcheck disable=SC2016 # what is in single quotes is for shells within
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly cache=${XDG_CACHE_HOME:-$HOME/.cache}/firstline/systemd python=${PYTHON:-python3} kind=${1:-namespaces}
readonly locks=(locks/device.lock locks/worker.lock) patience_s=150 machine_s=1500
readonly packages=dbus,initramfs-tools,libgomp1,linux-image-cloud-amd64,mosquitto,procps,python3-venv,systemd-sysv,udev

say() { echo "systemd: $*" >&2; }

give_up() {
  say "$*"
  exit 1
}

skip() {
  echo "systemd: skipped: $*"
  exit 0
}

make_root() {
  local fresh=$root.new lock
  rm -rf --one-file-system "$fresh"
  mkdir -p "$fresh"
  say "making a Debian root file system in $root, some 3 minutes"
  debootstrap --variant=minbase --include="$packages" bookworm "$fresh" >"$fresh.log" 2>&1 ||
    { tail "$fresh.log" >&2; give_up "debootstrap failed: see $fresh.log"; }
  mkdir "$fresh/wheels"
  for lock in "${locks[@]}"; do
    "$python" -m pip download --quiet --disable-pip-version-check --only-binary :all: --python-version 3.11 \
      --require-hashes -r "$lock" --dest "$fresh/wheels" >&2
    cp "$lock" "$fresh/wheels"
  done
  chroot "$fresh" sh -euc '
    systemctl --quiet mask mosquitto
    python3 -m venv /opt/firstline
    for lock in /wheels/*.lock; do
      /opt/firstline/bin/pip install --quiet --no-index --find-links /wheels --require-hashes -r "$lock"
    done
    rm -r /wheels'
  mv "$fresh" "$root"
}

# systemd wants / to be shared (systemd.exec(5): credentials are mounts), and the newer kind of cgroup for itself.
in_namespaces() {
  grep --quiet cgroup2 /proc/filesystems || skip "this kernel has no cgroups of version 2"
  mkdir "$work"/{upper,scratch,whole}
  unshare --mount --pid --uts --ipc --net --cgroup --fork --kill-child sh -euc '
    root=$1 work=$2
    mount --make-rprivate /
    mount -t overlay -o "lowerdir=$root,upperdir=$work/upper,workdir=$work/scratch" overlay "$work/whole"
    cp -r "$work/proof" "$work/whole/root/"
    cd "$work/whole"
    mount -t proc proc proc
    mount -t sysfs sysfs sys
    mount -t cgroup2 cgroup2 sys/fs/cgroup
    mount -t tmpfs tmpfs run
    mount -t tmpfs tmpfs tmp
    mount --rbind /dev dev
    mkdir -p before
    pivot_root . before
    umount -l before
    mount --make-rshared /
    exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --unit=multi-user.target
  ' sh "$root" "$work" </dev/null >"$work/systemd.log" 2>&1 &
  boot=$!
  disown # its end is ours to bring about, and nothing to tell
  local until=$((SECONDS + patience_s))
  until [[ $(within systemctl is-system-running 2>/dev/null) =~ running|degraded ]]; do
    kill -0 "$boot" 2>/dev/null || skip "systemd does not start here: $(tail -n 1 "$work/systemd.log")"
    ((SECONDS <= until)) || give_up "systemd is not up after $patience_s s"
    sleep 0.3
  done
  within bash /root/proof/services.sh "/root/proof/$wheel"
}

# Runs a command where systemd is process 1.
within() {
  local first
  first=$(pgrep --parent "$boot") || return 1
  nsenter --target "$first" --mount --pid --uts --ipc --net --cgroup env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
}

# The proof comes as a disk that holds an archive; what it says goes to the machine's serial port, which is our output.
in_a_machine() {
  [[ $(uname -m) = x86_64 ]] || skip "the machine is an x86-64 one, with a kernel for it"
  local disk=$cache/disk-$recipe said=$work/said
  [[ -e $disk ]] || { mke2fs -q -t ext4 -d "$root" "$disk.new" 4G && mv "$disk.new" "$disk"; }
  cat >"$work/proof/start" <<'END'
mount -o remount,rw /
cp -r /run/proof /root/
systemctl start dbus.socket # a start with a command of its own starts little else
PATIENCE_S=400 bash /root/proof/services.sh /root/proof/*.whl
echo "exit code $?"
END
  tar --create --file "$work/proof.tar" --directory "$work" proof
  truncate --size=%1M "$work/proof.tar"
  timeout "$machine_s" qemu-system-x86_64 -accel tcg,thread=multi -cpu max -m 1024 -smp 2 -display none -monitor none \
    -serial stdio -nic none -no-reboot -kernel "$root"/boot/vmlinuz-* -initrd "$root"/boot/initrd.img-* \
    -drive "file=$disk,if=virtio,format=raw,snapshot=on" -drive "file=$work/proof.tar,if=virtio,format=raw,snapshot=on" \
    -append "console=ttyS0 root=/dev/vda rw quiet loglevel=1 panic=-1 systemd.show_status=0 systemd.run_success_action=poweroff \
systemd.run_failure_action=poweroff systemd.run=\"/bin/sh -c 'exec >/dev/ttyS0 2>&1; tar -C /run -xf /dev/vdb; . /run/proof/start'\"" \
    </dev/null | tee "$said" || give_up "the machine was not done after $machine_s s"
  grep --quiet '^exit code 0' "$said" || give_up "not proven"
}

[[ $(id -u) = 0 ]] || skip "only root can make another root file system and enter it: sudo make test-systemd"
recipe=$(cat "${locks[@]}" - <<<"$packages" | sha256sum | cut -c1-12)
root=$cache/root-$recipe
boot=
mkdir -p "$cache"
work=$(mktemp -d)
trap '[[ -z $boot ]] || kill -KILL "$boot" 2>/dev/null; rm -rf --one-file-system "$work"' EXIT
[[ -d $root ]] || make_root

mkdir "$work/proof"
"$python" -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir "$work/proof" .
cp scripts/services.sh "$work/proof"
wheel=$(basename "$work"/proof/*.whl)
case $kind in
  namespaces) in_namespaces ;;
  machine) in_a_machine ;;
  *) give_up "namespaces or machine, not $kind" ;;
esac
say "passed"
