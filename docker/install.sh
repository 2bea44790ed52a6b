#!/usr/bin/env bash
# install.sh packages EXTRA | firstline: fills /opt/firstline, which an image takes as it is.
set -euo pipefail
readonly build=/opt/build/bin/python home=/opt/firstline

install_there() {
  "$build" -m pip --python "$home/bin/python" install --quiet --no-cache-dir --no-compile "$@"
}

# The locked packages, and llama.cpp's wheel with what it needs of them.
packages() {
  local llama
  llama=$(PYTHON=$build scripts/llama_wheel.sh "$(dpkg --print-architecture)" /wheels)
  /usr/bin/python3 -m venv --without-pip "$home"
  sed '/^llama-cpp-python==/,/--hash=/d' locks/llama.lock >/tmp/llama.lock # the wheel was made from that archive
  install_there --require-hashes -r "locks/$1.lock"
  install_there --require-hashes -r /tmp/llama.lock
  install_there --no-deps "$llama"
}

# Ourselves, on a board without the workers' models. All is compiled here: an image's file system is read-only.
firstline() { # [NAME-PATTERN of models to leave out]
  "$build" -m pip wheel --quiet --no-cache-dir --no-deps --no-build-isolation --wheel-dir /tmp/ours .
  install_there --no-deps /tmp/ours/*.whl
  [[ -z ${1:-} ]] || find "$home" -type d -path "*/firmware_configs/models/$1" -prune -exec rm -rf {} +
  trim
  "$home/bin/python" -m compileall -q -j 0 "$home/lib" || true # some packages ship templates that are no Python
}

# What the packages bring and nothing here loads: a third of all bytes.
trim() {
  local packages
  packages=$(echo "$home"/lib/python3*/site-packages)
  find "$packages" -type d \( -name tests -o -name include \) -prune -exec rm -rf {} +
  rm -rf "$packages"/onnxruntime/{datasets,quantization,tools,transformers} "$packages"/numpy/{distutils,f2py}
  rm -f "$packages"/onnxruntime/capi/libonnxruntime.so.* # for programs in C; Python's module has it all once more
  strip --strip-unneeded "$packages"/pycrfsuite/*.so 2>/dev/null || true # a worker has none
}

"$@"
