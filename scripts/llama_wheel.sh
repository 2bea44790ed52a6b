#!/usr/bin/env bash
# llama_wheel.sh amd64|arm64 FOLDER: puts a wheel of the locked llama-cpp-python into FOLDER, and prints its path.
#
# The wheel runs on every processor of its architecture. llama.cpp's arithmetic is compiled once for each generation
# of processors, into modules of which the fitting one is loaded at run time. pip's own build compiles it for the
# processor that it runs on, and dies of an illegal instruction on an older one.
# PYTHON is an interpreter with locks/wheels.lock installed. A wheel that lies in FOLDER already is left as it is.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly architecture=${1:-} folder=${2:-} python=${PYTHON:-python3}

say() { echo "llama wheel: $*" >&2; }

give_up() {
  say "$*"
  exit 1
}

case $architecture in
  amd64) machine=x86_64 ;;
  arm64) machine=aarch64 ;;
  *) give_up "usage: $0 amd64|arm64 FOLDER" ;;
esac
compiler=
[[ $machine == "$(uname -m)" ]] || compiler=$machine-linux-gnu-
command -v "${compiler}g++" >/dev/null || give_up "there is no ${compiler}g++: apt-get install g++${compiler:+-${compiler%-}}"
command -v cmake >/dev/null || give_up "there is no cmake: apt-get install cmake ninja-build"

mkdir -p "$folder"
kept=$(realpath "$folder")
requirement=$(grep --after-context 1 '^llama-cpp-python==' locks/llama.lock) # its version, and the archive's hash
readonly machine compiler kept requirement
recipe=$(cat "${BASH_SOURCE[0]}" <(echo "$requirement") | sha256sum | cut -c1-12)
readonly made=$kept/$architecture-$recipe
if compgen -G "$made/*.whl" >/dev/null; then
  echo "$made"/*.whl
  exit
fi

work=$(mktemp -d)
readonly work
trap 'rm -rf "$work"' EXIT
echo "$requirement" >"$work/requirement.txt"
"$python" -m pip download --quiet --disable-pip-version-check --no-deps --no-build-isolation \
  --no-binary llama-cpp-python --require-hashes -r "$work/requirement.txt" --dest "$work" >&2
mkdir "$work/source" "$work/wheel"
tar -xzf "$work"/*.tar.gz -C "$work/source" --strip-components 1

# What we do not load is not built; and gcc before 14 knows no SME, which no board has yet.
sed -i 's/set(LLAMA_BUILD_COMMON ON /set(LLAMA_BUILD_COMMON OFF /' "$work/source/CMakeLists.txt"
if ! echo | "${compiler}g++" -march=armv9-a+sme -x c++ -E - >/dev/null 2>&1; then
  sed -i '/ggml_add_cpu_backend_variant(armv9\.2_/d' "$work/source/vendor/llama.cpp/ggml/src/CMakeLists.txt"
fi

settings=(
  -DGGML_NATIVE=OFF -DGGML_BACKEND_DL=ON -DGGML_CPU_ALL_VARIANTS=ON -DLLAVA_BUILD=OFF
  -DCMAKE_INSTALL_BINDIR=llama_cpp/lib -DCMAKE_INSTALL_LIBDIR=llama_cpp/lib # each library once, and the modules beside
  -DCMAKE_INSTALL_INCLUDEDIR=llama_cpp/include
  -DCMAKE_PLATFORM_NO_VERSIONED_SONAME=ON # a wheel has no links: libllama.so.0 would be a copy of libllama.so
)
if [[ -n $compiler ]]; then
  settings+=(-DCMAKE_SYSTEM_NAME=Linux "-DCMAKE_SYSTEM_PROCESSOR=$machine")
  settings+=("-DCMAKE_C_COMPILER=${compiler}gcc" "-DCMAKE_CXX_COMPILER=${compiler}g++")
fi
say "compiling llama.cpp for $architecture, once for each generation of its processors: some 15 minutes on two cores"
started=$SECONDS
CMAKE_ARGS="${settings[*]}" CMAKE_BUILD_PARALLEL_LEVEL=$(nproc) _PYTHON_HOST_PLATFORM=linux-$machine \
  nice -n 10 "$python" -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation \
  --wheel-dir "$work/wheel" "$work/source" >&2
mkdir -p "$made"
mv "$work"/wheel/*.whl "$made"
say "took $((SECONDS - started)) s"
echo "$made"/*.whl
