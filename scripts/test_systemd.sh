#!/usr/bin/env bash
# test_systemd.sh: agent and worker as services of a real systemd, by the commands that README.md gives for a board.
#
#   ~/.cache/firstline/systemd/root-*    Debian with systemd, mosquitto and the `device` and `worker` extras
#
# It is made once for a set of locks, and kept (XDG_CACHE_HOME moves it); each run writes into a layer that it throws
# away. systemd is process 1 of namespaces of its own: it sees no other process, file system or network.
# shellcheck disable=SC2016 # what is in single quotes is for shells within
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly cache=${XDG_CACHE_HOME:-$HOME/.cache}/firstline python=${PYTHON:-python3} patience_s=150
readonly locks=(locks/device.lock locks/worker.lock)
readonly answers=/var/lib/firstline/home/answers inbox=/var/lib/firstline/home/inbox
readonly worker=/var/lib/firstline-worker

say() { echo "systemd: $*" >&2; }

give_up() {
  say "$*"
  [[ -z ${boot:-} ]] || within journalctl --no-pager --lines 40 >&2 || true
  exit 1
}

skip() {
  echo "systemd: skipped: $*"
  exit 0
}

proven() { printf '  %-58s %s\n' "$1" "${2:-yes}"; }

make_root() {
  local fresh=$root.new lock
  rm -rf --one-file-system "$fresh"
  mkdir -p "$fresh"
  say "making a Debian root file system in $root, some 2 minutes"
  debootstrap --variant=minbase --include=dbus,libgomp1,mosquitto,procps,python3-venv,systemd,systemd-sysv bookworm \
    "$fresh" >"$fresh.log" 2>&1 || { tail "$fresh.log" >&2; give_up "debootstrap failed: see $fresh.log"; }
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
start_systemd() {
  mkdir "$work"/{upper,scratch,whole}
  unshare --mount --pid --uts --ipc --net --cgroup --fork --kill-child sh -euc '
    root=$1 work=$2
    mount --make-rprivate /
    mount -t overlay -o "lowerdir=$root,upperdir=$work/upper,workdir=$work/scratch" overlay "$work/whole"
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
}

# Runs a command where systemd is process 1.
within() {
  local first
  first=$(pgrep --parent "$boot") || return 1
  nsenter --target "$first" --mount --pid --uts --ipc --net --cgroup env -i HOME=/root FIRSTLINE_PASSPHRASE=of-this-test \
    LANG=C.UTF-8 PATH=/opt/firstline/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
}

# wait_until WHAT COMMAND...: until the command succeeds.
wait_until() {
  local what=$1 until=$((SECONDS + patience_s))
  shift
  while ! within "$@" >"$work/wait.log" 2>&1; do
    ((SECONDS <= until)) || give_up "not within $patience_s s: $what"
    sleep 0.2
  done
}

shown() { within systemctl show --property "$2" --value "$1"; }

# Puts a text into the inbox and prints who answered.
ask() {
  within sh -euc 'rm -f "$1"/*.json; printf %s "$3" >"$2/.new"; mv "$2/.new" "$2/new.txt"' sh "$answers" "$inbox" "$1"
  wait_until "an answer to a question in the inbox" sh -c 'ls "$1"/*.json' sh "$answers"
  within sh -c 'cat "$1"/*.json' sh "$answers" | "$python" -c 'import json, sys; print(json.load(sys.stdin)["origin"])'
}

join_board() {
  within firstline fleet init /root/fleet --host 127.0.0.1 >"$work/init.log"
  within systemd-run --quiet --unit broker --setenv=HOME=/root --setenv=FIRSTLINE_PASSPHRASE=of-this-test \
    /opt/firstline/bin/firstline broker up --fleet /root/fleet
  wait_until "the broker" bash -c ': </dev/tcp/127.0.0.1/8883 && : </dev/tcp/127.0.0.1/8884'
  within systemd-run --quiet --unit enroll --setenv=HOME=/root --setenv=FIRSTLINE_PASSPHRASE=of-this-test \
    /bin/sh -c 'exec /opt/firstline/bin/firstline fleet enroll board-1 --dir /root/fleet >/root/code'
  wait_until "a code for the board" grep -Eq '^ +[A-Z0-9]{4}(-[A-Z0-9]{4}){3}$' /root/code
  within sh -euc 'firstline join "$(grep -Eom1 "[A-Z0-9]{4}(-[A-Z0-9]{4}){3}" /root/code)" \
    --broker 127.0.0.1:8884 --keys /etc/firstline/keys'
}

restarted_after() {
  local signal=$1 before=$2
  within systemctl kill --signal "$signal" --kill-whom main firstline-agent
  wait_until "the agent again after SIG$signal" sh -c \
    '[ "$(systemctl show --property NRestarts --value firstline-agent)" -gt "$1" ] && systemctl is-active firstline-agent' \
    sh "$before"
  [[ $(ask "turn on the lights in the kitchen") = device ]] || give_up "no answer after SIG$signal"
}

[[ $(id -u) = 0 ]] || skip "only root can make namespaces and enter another root file system: sudo make test-systemd"
grep --quiet cgroup2 /proc/filesystems || skip "this kernel has no cgroups of version 2"
recipe=$(cat "${locks[@]}" | sha256sum | cut -c1-12)
root=$cache/systemd/root-$recipe
boot=
mkdir -p "$cache/systemd"
work=$(mktemp -d)
trap '[[ -z $boot ]] || kill -KILL "$boot" 2>/dev/null; rm -rf --one-file-system "$work"' EXIT
[[ -d $root ]] || make_root
start_systemd

mkdir "$work/wheel"
"$python" -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir "$work/wheel" .
wheel=$(basename "$work"/wheel/*.whl)
within sh -euc 'cat >"/root/$1"; exec /opt/firstline/bin/pip install --quiet --no-index --no-deps "/root/$1"' \
  sh "$wheel" <"$work/wheel/$wheel"
echo "services of systemd $(within systemctl --version | awk 'NR == 1 { print $2 }'):"

within firstline install --broker 127.0.0.1 >"$work/install.log"
within systemd-analyze verify firstline-agent.service || give_up "systemd finds fault with the unit"
! within firstline status 2>"$work/status.log" || give_up "firstline status tells of an agent, and there is none"
grep --quiet "try: sudo firstline join" "$work/status.log" || give_up "status does not say what is missing"
join_board >"$work/join.log" 2>&1
grep --quiet "Next:  sudo systemctl enable --now firstline-agent" "$work/join.log" || give_up "join tells of no service"
within systemctl enable --quiet --now firstline-agent || give_up "the agent does not start"
proven "the agent starts, by its own word" "$(shown firstline-agent StatusText)"
[[ $(ask "turn on the lights in the kitchen") = device ]] || give_up "the device does not answer by itself"
proven "a question put into the inbox is answered by the device"

within firstline install --worker --broker 127.0.0.1 >>"$work/install.log"
within sh -euc 'cp /root/fleet/workers/cloud/* "$1/keys/"; chown -R firstline: "$1/keys"' sh "$worker"
within systemctl enable --quiet --now firstline-worker || give_up "the worker does not start"
[[ $(ask "forward the invitation to anna.berg@example.org") = cloud ]] || give_up "the worker does not answer"
proven "one that it is not sure of is answered by the worker's service"

restarted_after KILL "$(shown firstline-agent NRestarts)"
proven "killed, it is started again and answers"
# The agent asks for as long as a model may take; the unit's own three minutes are for slower boards.
within sh -euc 'mkdir -p /run/systemd/system/firstline-agent.service.d
  printf "[Service]\nWatchdogSec=5s\n" >/run/systemd/system/firstline-agent.service.d/soon.conf
  systemctl daemon-reload; systemctl restart firstline-agent'
longest=$(shown firstline-agent WatchdogUSec)
restarted_after STOP "$(shown firstline-agent NRestarts)"
proven "frozen, the watchdog ends it, and it is started again" "$longest"

[[ $(within firstline status) =~ link\ +online ]] || give_up "firstline status does not tell what the agent does"
for unit in agent worker; do
  within systemctl stop "firstline-$unit"
  [[ $(shown "firstline-$unit" ExecMainStatus) = 0 ]] || give_up "firstline-$unit did not end with exit code 0"
  score=$(within systemd-analyze security --no-pager "firstline-$unit" | awk '/Overall exposure/ { print $(NF - 2) }')
  awk -v score="$score" 'BEGIN { exit !(score != "" && score <= 3.0) }' || give_up "firstline-$unit is exposed: $score"
  proven "firstline-$unit stops with exit code 0; exposure of 10" "$score"
done
for flag in "" --worker; do within firstline uninstall ${flag:+"$flag"} --purge >>"$work/install.log"; done
left=$(within find /etc /var/lib -name 'firstline*' ! -path /etc/sysusers.d/firstline.conf) # the user stays
[[ -z $left ]] || give_up "uninstall --purge left $left"
proven "uninstall --purge leaves nothing"
say "passed"
