#!/usr/bin/env bash
# Writes locks/*.lock from pyproject.toml: exact versions with the hash of every published file, for x86-64 and
# arm64 alike, and no index address, so that each machine uses the index that it is set up for.
#
# Releases younger than a week are left out: a hijacked one is usually found sooner than that.
# A lock that exists is kept as far as it can be; `make lock UPGRADE=1` takes the newest versions.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly uv_version=0.13.8
readonly tool=.venv-lock
if ! "$tool/bin/uv" --version 2>/dev/null | grep -q "^uv $uv_version"; then
  "${PYTHON:-python3}" -m venv "$tool"
  "$tool/bin/python" -m pip install --quiet "uv==$uv_version"
fi
mkdir -p locks

compile() {
  compile_these "$@" pyproject.toml
}

compile_these() {
  local name=$1
  shift
  echo "locks/$name.lock"
  "$tool/bin/uv" --no-config pip compile --quiet --universal --python-version 3.11 \
    --generate-hashes --no-emit-index-url --no-emit-find-links --exclude-newer "7 days" \
    --custom-compile-command "make lock" ${UPGRADE:+--upgrade} \
    --output-file "locks/$name.lock" "$@"
}

# dev holds everything that the tests need; the others are parts of it, so they agree on every version.
compile dev --extra device --extra worker --extra llama --extra tokenizers --extra pull --extra fleet --extra plot --group build --group dev
unset UPGRADE
compile run --extra device --extra worker --extra fleet --extra plot --group build --constraints locks/dev.lock
compile device --extra device --constraints locks/dev.lock
compile worker --extra worker --constraints locks/dev.lock
compile llama --extra llama --constraints locks/dev.lock
compile tokenizers --extra tokenizers --constraints locks/dev.lock
compile pull --extra pull --constraints locks/dev.lock
compile oracle --extra device --extra worker --extra llama --extra tokenizers --extra pull --extra fleet --extra plot \
  --group build --group dev --group oracle --constraints locks/dev.lock
compile fuzz --extra device --extra worker --extra llama --extra tokenizers --extra pull --extra fleet --extra plot \
  --group build --group dev --group fuzz --constraints locks/dev.lock
compile_these presidio --group pyproject.toml:presidio
compile_these test --group pyproject.toml:test --constraints locks/dev.lock
compile_these wheels --group pyproject.toml:wheels --constraints locks/dev.lock
compile fleet --extra fleet --constraints locks/dev.lock
# torch is left out: which build fits depends on the machine (CPU or a CUDA version), and so do its hashes.
compile train --extra train --constraints locks/dev.lock \
  --override <(echo 'torch; python_version < "3"')

if grep -nE '://|^--(index|extra-index|find-links)' locks/*.lock; then
  echo "lock: an address got into a lock file" >&2
  exit 1
fi
