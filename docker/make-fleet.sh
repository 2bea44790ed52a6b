#!/usr/bin/env bash
# make-fleet.sh FOLDER: makes a fleet with a broker, two workers and a board, each in a folder of its own.
#
#   FOLDER/fleet      the operator's: the root key, which no service needs
#   FOLDER/broker     mosquitto.conf and what it names
#   FOLDER/worker-1   worker.toml, keys                  FOLDER/worker-2
#   FOLDER/agent      agent.toml, keys
#
# What is there already stays. The folders will lie at /var/lib/firstline in the containers.
set -euo pipefail
umask 077

readonly folder=$1 there=/var/lib/firstline host=${FIRSTLINE_HOST:-}
readonly fleet=$folder/fleet/fleet

exec 9>"$folder/fleet/lock"
flock 9 # two at once would make keys of two fleets
if [[ -e $folder/agent/agent.toml ]]; then
  echo "firstline: there is a fleet in $fleet already"
  exit
fi
[[ ! -e $fleet ]] || { # an earlier run was cut short: nothing has these keys yet
  echo "firstline: beginning anew in $fleet"
  rm -rf "$fleet" "$folder"/{worker-1,worker-2,agent}/keys
}
firstline fleet init "$fleet" --fleet demo --pool main --host broker ${host:+--host "$host"} --no-passphrase
firstline fleet worker 2 --dir "$fleet" --pool main
firstline fleet enroll board-1 --dir "$fleet" --pool main --folder
firstline broker config "$folder/broker" --fleet "$fleet" --host broker --at "$there" \
  --plugin "/usr/lib/$(uname -m)-linux-gnu/mosquitto_dynamic_security.so"

# A settings file of the demo's, for a broker elsewhere.
settings() {
  local demo
  demo=$(python3 -c 'from firstline.shipped import CONFIGS; print(CONFIGS / "demo")')
  sed -e 's/^host = .*/host = "broker"/' -e 's/^port = .*/port = 8883\ntls = true/' "$demo/$1.toml"
}

for number in 1 2; do
  name=main$([[ $number = 1 ]] || echo ".$number")
  cp -r "$fleet/workers/$name" "$folder/worker-$number/keys"
  { settings worker; printf '\n[http]\nhost = "0.0.0.0"\nport = 9464\n'; } >"$folder/worker-$number/worker.toml"
done
cp -r "$fleet/devices/board-1" "$folder/agent/keys"
settings agent >"$folder/agent/agent.toml"
echo "firstline: made a fleet in $fleet"
