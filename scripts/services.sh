#!/usr/bin/env bash
# services.sh: the proof that scripts/test_systemd.sh runs where systemd is process 1; nothing to run by hand.
#
#   services.sh WHEEL    installs it into /opt/firstline, then does what README.md gives for a board, and breaks it
set -euo pipefail

readonly patience_s=${PATIENCE_S:-150} wheel=$1
readonly answers=/var/lib/firstline/home/answers inbox=/var/lib/firstline/home/inbox worker=/var/lib/firstline-worker
readonly lit="turn on the lights in the kitchen" rounds=12 at_once=20
export HOME=/root FIRSTLINE_PASSPHRASE=of-this-test LANG=C.UTF-8
export PATH=/opt/firstline/bin:/usr/sbin:/usr/bin:/sbin:/bin
work=$(mktemp -d)
asked=0

give_up() {
  echo "systemd: $*" >&2
  journalctl --no-pager --lines 40 --unit broker --unit enroll --unit "firstline-*" >&2 || true
  exit 1
}

proven() { printf '  %-58s %s\n' "$1" "${2:-yes}"; }

# wait_until WHAT COMMAND...: until the command succeeds.
wait_until() {
  local what=$1 until=$((SECONDS + patience_s))
  shift
  while ! "$@" >"$work/wait.log" 2>&1; do
    ((SECONDS <= until)) || give_up "not within $patience_s s: $what"
    sleep 0.2
  done
}

shown() { systemctl show --property "$2" --value "$1"; }

# Puts a text into the inbox.
put() {
  asked=$((asked + 1))
  printf %s "$1" >"$inbox/.new"
  mv "$inbox/.new" "$inbox/q$asked.txt"
}

# Where the answer to the last text came from.
origin() { grep --no-filename "\"q$asked.txt\"" "$answers"/*.json | grep --only-matching '"origin": "[a-z]*"' | cut -d '"' -f 4; }

# ask TEXT WHO: puts it into the inbox, and wants an answer by the device or the cloud.
ask() {
  put "$1"
  wait_until "an answer to a question in the inbox" origin
  [[ $(origin) = "$2" ]] || give_up "answered by the $(origin), not by the $2"
}

join_board() {
  firstline fleet init /root/fleet --host 127.0.0.1
  systemd-run --quiet --unit broker --setenv=HOME=/root --setenv=FIRSTLINE_PASSPHRASE=of-this-test \
    /opt/firstline/bin/firstline broker up --fleet /root/fleet
  wait_until "the broker" bash -c ': </dev/tcp/127.0.0.1/8883 && : </dev/tcp/127.0.0.1/8884'
  systemd-run --quiet --unit enroll --setenv=HOME=/root --setenv=FIRSTLINE_PASSPHRASE=of-this-test \
    /bin/sh -c 'exec /opt/firstline/bin/firstline fleet enroll board-1 --dir /root/fleet >/root/code'
  wait_until "a code for the board" grep -Eq '^ +[A-Z0-9]{4}(-[A-Z0-9]{4}){3}$' /root/code
  firstline join "$(grep -Eom1 "[A-Z0-9]{4}(-[A-Z0-9]{4}){3}" /root/code)" \
    --broker 127.0.0.1:8884 --keys /etc/firstline/keys
}

again_after() { [[ $(shown firstline-agent NRestarts) -gt $1 ]] && systemctl is-active firstline-agent; }

restarted_after() {
  local signal=$1 before
  before=$(shown firstline-agent NRestarts)
  systemctl kill --signal "$signal" --kill-whom main firstline-agent
  wait_until "the agent again after SIG$signal" again_after "$before"
  ask "$lit" device
}

all_answered() { [[ $(find "$answers" -name '*.json' | wc -l) -eq $asked ]]; }

# The taker cannot be taken itself, as if the agent were the one who wants more: the kernel looks for somebody else.
take_the_memory() {
  (
    echo -1000 >/proc/self/oom_score_adj || true # in a container that is not the whole machine
    echo "$BASHPID" >"$group/cgroup.procs"
    exec python3 -P -m firstline.bench.hog "$group/memory.events"
  )
}

engine_of() {
  put "$lit"
  wait_until "every answer" all_answered
  pgrep --parent "$1"
}

run_out_of_memory() {
  local agent child taker code
  agent=$(shown firstline-agent MainPID)
  for ((round = 0; round < rounds; round++)); do
    wait_until "an engine child" engine_of "$agent"
    child=$(pgrep --parent "$agent")
    take_the_memory &
    taker=$!
    for ((each = 0; each < at_once; each++)); do put "$lit"; done
    code=0
    wait "$taker" || code=$?
    [[ $(shown firstline-agent MainPID) = "$agent" ]] || give_up "the agent went too" # and systemd ended the taker
    [[ $code = 0 ]] || give_up "memory did not run out"
    put "$lit" # so that somebody misses the child
    wait_until "every answer" all_answered # by the cloud, if the next child had no luck either
    ! kill -0 "$child" 2>"$work/kill.log" || give_up "the engine child was not the one to go"
    [[ $(shown firstline-agent MainPID) = "$agent" ]] || give_up "the agent went too"
  done
}

pip install --quiet --no-index --no-deps "$wheel"
echo "services of systemd $(systemctl --version | awk 'NR == 1 { print $2 }'), Linux $(uname -r):"

firstline install --broker 127.0.0.1 --board raspberry-pi-zero-2-w >"$work/install.log"
systemd-analyze verify firstline-agent.service || give_up "systemd finds fault with the unit"
! firstline status 2>"$work/status.log" || give_up "firstline status tells of an agent, and there is none"
grep --quiet "try: sudo firstline join" "$work/status.log" || give_up "status does not say what is missing"
join_board >"$work/join.log" 2>&1 || give_up "$(cat "$work/join.log")"
grep --quiet "Next:  sudo systemctl enable --now firstline-agent" "$work/join.log" || give_up "join tells of no service"
systemctl enable --quiet --now firstline-agent || give_up "the agent does not start"
proven "the agent starts, by its own word" "$(shown firstline-agent StatusText)"
wait_until "the inbox" test -d "$inbox"
ask "$lit" device
proven "a question put into the inbox is answered by the device"

firstline install --worker --broker 127.0.0.1 >>"$work/install.log"
cp /root/fleet/workers/cloud/* "$worker/keys/"
chown -R firstline: "$worker/keys"
systemctl enable --quiet --now firstline-worker || give_up "the worker does not start"
ask "forward the invitation to anna.berg@example.org" cloud
proven "one that it is not sure of is answered by the worker's service"

restarted_after KILL
proven "killed, it is started again and answers"

group=/sys/fs/cgroup/system.slice/firstline-agent.service
if [[ -e $group/memory.max ]]; then
  run_out_of_memory
  proven "in $(($(<"$group/memory.max") / 1048576)) MiB memory runs out $rounds times: the child goes, the agent stays" \
    "$asked of $asked answered"
  systemd-run --quiet --pipe --wait --collect --property=Delegate=yes --setenv=HOME=/root --setenv=PATH="$PATH" \
    firstline bench pressure --texts 200 >"$work/bench.log" 2>&1 || give_up "$(cat "$work/bench.log")"
  sed 's/^/    /' "$work/bench.log"
else
  proven "memory that runs out" "not shown: no memory controller of version 2 here; see make test-machine"
fi

# The agent asks for as long as a model may take; the unit's own three minutes are for slower boards.
mkdir -p /run/systemd/system/firstline-agent.service.d
printf '[Service]\nWatchdogSec=5s\n' >/run/systemd/system/firstline-agent.service.d/soon.conf
systemctl daemon-reload
systemctl restart firstline-agent
longest=$(shown firstline-agent WatchdogUSec)
restarted_after STOP
proven "frozen, the watchdog ends it, and it is started again" "$longest"

[[ $(firstline status) =~ link\ +online ]] || give_up "firstline status does not tell what the agent does"
for unit in agent worker; do
  systemctl stop "firstline-$unit"
  [[ $(shown "firstline-$unit" ExecMainStatus) = 0 ]] || give_up "firstline-$unit did not end with exit code 0"
  score=$(systemd-analyze security --no-pager "firstline-$unit" | awk '/Overall exposure/ { print $(NF - 2) }')
  awk -v score="$score" 'BEGIN { exit !(score != "" && score <= 3.0) }' || give_up "firstline-$unit is exposed: $score"
  proven "firstline-$unit stops with exit code 0; exposure of 10" "$score"
done
for flag in "" --worker; do firstline uninstall ${flag:+"$flag"} --purge >>"$work/install.log"; done
left=$(find /etc /var/lib -name 'firstline*' ! -path /etc/sysusers.d/firstline.conf) # the user stays
[[ -z $left ]] || give_up "uninstall --purge left $left"
proven "uninstall --purge leaves nothing"
rm -r "$work"
