#!/usr/bin/env bash
# Prints the path of a llama-server, built from the archive that the installed llama-cpp-python was built from.
#
# That installation holds llama.cpp's libraries already, so only the server's own sources are compiled, and not
# optimized: half a minute on two cores. The result is kept in the cache, with the libraries beside it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly python=.venv/bin/python

say() { echo "llama-server: $*" >&2; }

give_up() {
  say "$*"
  exit 1
}

version=$("$python" -c 'from importlib.metadata import version; print(version("llama_cpp_python"))' 2>/dev/null) ||
  give_up "llama-cpp-python is not installed: pip install --require-hashes -r locks/dev.lock"
libraries=$("$python" -c 'from sysconfig import get_path; print(get_path("platlib"))')/lib
readonly version libraries
[[ -e $libraries/libllama-common.so && -e $libraries/libmtmd.so ]] ||
  give_up "llama-cpp-python $version was installed without llama.cpp's common library; build it from its archive"
command -v c++ >/dev/null || give_up "there is no C++ compiler: apt-get install g++"

build_id=$(sha256sum "$libraries/libllama-common.so" | cut -c1-12)
readonly kept=${XDG_CACHE_HOME:-$HOME/.cache}/firstline/llama-server-$version-$build_id
mkdir -p "$(dirname "$kept")"
exec 9>"$kept.lock"
flock 9 # two test runs build it once
if [[ -x $kept/llama-server ]]; then
  echo "$kept/llama-server"
  exit
fi

work=$(mktemp -d)
readonly work
trap 'rm -rf "$work"' EXIT

say "fetching the archive of llama-cpp-python $version"
"$python" - "$version" >"$work/requirement.txt" <<'PYTHON'
"""The lock's entry of the archive, so that its hash is checked."""
import re, sys

lock = open("locks/dev.lock", encoding="utf-8").read()
found = re.search(rf"^llama-cpp-python(?:\[\w+\])?=={re.escape(sys.argv[1])}(?: \\\n +--hash=\S+)+", lock, re.M)
sys.exit(1) if found is None else print(found[0])
PYTHON
"$python" -m pip download --quiet --disable-pip-version-check --no-deps --no-binary llama-cpp-python \
  --require-hashes -r "$work/requirement.txt" --dest "$work" >&2
tar -xzf "$work"/*.tar.gz -C "$work" --wildcards '*/vendor/llama.cpp/*' --strip-components 3

say "compiling, about half a minute"
started=$SECONDS
mkdir "$work/made"
sed -e '/^#cmakedefine/d' -e 's/@N_ASSETS@/0/' "$work/tools/ui/ui.h.in" >"$work/made/ui.h" # no web page inside
sed -e '/@ASSET_/d' -e 's/@N_ASSETS@/0/' -e 's/@USE_GZIP@/false/' "$work/tools/ui/ui.cpp.in" >"$work/made/ui.cpp"
flags=(-std=c++17 -O0 -w -DNDEBUG -DLLAMA_SUBPROCESS -I"$work/made")
for folder in tools/server tools/mtmd . common vendor include ggml/include; do
  flags+=(-I"$work/$folder")
done
links=(-lllama-common -lmtmd -lllama -lggml -lggml-base -lggml-cpu -lpthread)
if grep -q 'libssl\.so' "$libraries/libllama-common.so"; then # its HTTP classes are larger with TLS in them
  flags+=(-DCPPHTTPLIB_OPENSSL_SUPPORT)
  links+=(-lssl -lcrypto)
fi
printf '%s\n' "$work"/tools/server/*.cpp "$work/made/ui.cpp" |
  xargs -P "$(nproc)" -I{} sh -c 'c++ "$@" -c {} -o {}.o' c++ "${flags[@]}"
cp -L "$libraries"/lib{llama-common,mtmd,llama,ggml,ggml-base,ggml-cpu}.so "$libraries"/lib*.so.0 "$work/made"
c++ "$work"/tools/server/*.o "$work/made/ui.cpp.o" -o "$work/made/llama-server" \
  -L"$work/made" "${links[@]}" -Wl,-rpath,'$ORIGIN' -Wl,-rpath-link,"$work/made"
rm "$work"/made/ui.* "$work"/made/lib*.so
rm -rf "$kept"
mv "$work/made" "$kept"
say "took $((SECONDS - started)) s"
echo "$kept/llama-server"
