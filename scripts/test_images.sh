#!/usr/bin/env bash
# test_images.sh: runs docker/compose.yaml from the images that are built, with podman, and the demo through it.
#
# Read-only root file systems, an ordinary user, no capabilities, networks and health checks are as compose.yaml says.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly project=firstline-test home=/var/lib/firstline patience_s=120
readonly images=(agent worker broker) services=(broker worker-1 worker-2 agent)

say() { echo "images: $*" >&2; }

give_up() {
  say "$*"
  exit 1
}

# crun runs containers where either kind of cgroup is, and not where both are mounted: there it sees the older alone.
if mountpoint --quiet /sys/fs/cgroup/unified && [[ -z ${FIRSTLINE_OWN_MOUNTS:-} ]]; then
  # shellcheck disable=SC2016 # for the inner shell
  FIRSTLINE_OWN_MOUNTS=1 exec unshare --mount "$BASH" -c 'umount /sys/fs/cgroup/unified; exec "$0" "$@"' "${BASH_SOURCE[0]}"
fi

work=$(mktemp -d)
readonly work
trap 'stop_all; rm -rf "$work"' EXIT
# podman raises the limits of files and processes, which takes a right that root lacks in some virtual machines.
printf '[containers]\ndefault_ulimits = ["nofile=%d:%d", "nproc=%d:%d"]\n' 4096 4096 4096 4096 >"$work/containers.conf"
export CONTAINERS_CONF=$work/containers.conf

compose() { podman-compose --project-name "$project" --file docker/compose.yaml "$@" 2>&1; }

of() { podman ps --all --quiet --filter "label=com.docker.compose.project=$project" --filter "label=com.docker.compose.service=$1" | head -n 1; }

inside() {
  local service=$1
  shift
  podman exec "$(of "$service")" "$@"
}

stop_all() { compose down --volumes >"$work/down.log" || true; }

wait_healthy() {
  local service=$1 until=$((SECONDS + patience_s))
  while ! podman healthcheck run "$(of "$service")" >"$work/health.log" 2>&1; do
    if ((SECONDS > until)); then
      podman logs "$(of "$service")" >&2 || true
      give_up "$service is not healthy after $patience_s s: $(cat "$work/health.log")"
    fi
    sleep 0.5
  done
}

wait_unhealthy() {
  local service=$1 until=$((SECONDS + patience_s))
  while podman healthcheck run "$(of "$service")" >"$work/health.log" 2>&1; do
    ((SECONDS <= until)) || give_up "$service is frozen and passes for healthy after $patience_s s"
    sleep 1
  done
}

ends_by_itself() {
  local code
  podman stop --time 30 "$(of "$1")" >"$work/stop.log" 2>&1
  code=$(podman inspect --format '{{.State.ExitCode}}' "$(of "$1")")
  [[ $code = 0 ]] || give_up "$1 ended with exit code $code on SIGTERM"
}

questions_of() {
  inside "$1" python3 -c 'from urllib.request import urlopen
print(urlopen("http://127.0.0.1:9464/metrics", timeout=5).read().decode())' |
    awk '/^firstline_worker_questions_total\{reason="answered"\}/ { print int($2) }'
}

for image in "${images[@]}"; do
  podman image exists "localhost/firstline-$image" || give_up "there is no image firstline-$image: make images"
done
compose down --volumes >"$work/down.log" || true # of a run that was cut short
say "starting a broker, two workers and an agent"
compose up --detach --no-deps fleet >"$work/fleet.log" || give_up "no fleet can be made: $(cat "$work/fleet.log")"
[[ $(podman wait "$(of fleet)") = 0 ]] || give_up "no fleet was made: $(podman logs "$(of fleet)" 2>&1)"
compose up --detach --no-deps "${services[@]}" >"$work/up.log" || give_up "they do not start: $(cat "$work/up.log")"
for service in "${services[@]}"; do wait_healthy "$service"; done

for service in "${services[@]}"; do
  [[ $(inside "$service" id -u) = 10001 ]] || give_up "$service runs as somebody else"
  ! inside "$service" touch /somewhere 2>/dev/null || give_up "$service can write to its root file system"
done
inside agent firstline demo --settings "$home/agent.toml"

echo
sleep 2 # what a worker tells of itself is of the last second
echo "answered by each worker, told by its /metrics, and how it ended:"
for service in worker-1 worker-2; do
  answered=$(questions_of "$service")
  ((answered > 0)) || give_up "$service was never asked"
  ends_by_itself "$service"
  echo "  $service  $answered questions, exit code 0 on SIGTERM"
done
echo
inside agent firstline demo --settings "$home/agent.toml" --cloud-down
echo
echo "a language model in the agent's image, and the module of llama.cpp that it took:"
inside agent python3 -c '
import re
from firstline.shipped import package_folder
from pathlib import Path
from broker.package.load import open_package
from broker.package.manifest import load_manifest
open_package(load_manifest(package_folder("home-nlu", Path())), threads=1, profile="fast")
print(" ", *sorted(set(re.findall(r"libggml-cpu-\S+", Path("/proc/self/maps").read_text()))))'
inside agent firstline ask "turn on the lights in the kitchen" --package home-nlu --domain home/nlu

say "freezing the agent, until its health check sees it"
podman kill --signal STOP "$(of agent)" >"$work/stop.log"
wait_unhealthy agent
podman kill --signal CONT "$(of agent)" >"$work/stop.log"
wait_healthy agent
for service in agent broker; do ends_by_itself "$service"; done
say "passed"
