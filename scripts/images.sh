#!/usr/bin/env bash
# images.sh: builds localhost/firstline-{agent,worker,broker} with buildah, and tells their sizes.
#
# BASE names the base image. Without it debian:bookworm-slim is pulled, and where no registry is reachable the same
# is made by debootstrap. PIP_CONFIG_FILE and SSL_CERT_FILE, if set, are shown to pip, and stay out of the layers.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly own_base=localhost/firstline-base:bookworm pulled=docker.io/library/debian:bookworm-slim
readonly targets=(broker agent worker)

say() { echo "images: $*" >&2; }

# Prints the name of a base image that is here.
base_image() {
  local root container
  if [[ -n ${BASE:-} ]]; then
    echo "$BASE"
  elif buildah inspect --type image "$pulled" >/dev/null 2>&1 || timeout 300 buildah pull --quiet "$pulled" >/dev/null 2>&1; then
    echo "$pulled"
  elif buildah inspect --type image "$own_base" >/dev/null 2>&1; then
    echo "$own_base"
  else
    say "no registry is reachable: making the base image with debootstrap"
    root=$(mktemp -d)
    debootstrap --variant=minbase bookworm "$root" >"$root.log" || { cat "$root.log" >&2; exit 1; }
    with_security_updates "$root"
    as_slim "$root"
    container=$(buildah from scratch)
    buildah add --quiet "$container" "$root" / >/dev/null
    buildah config --cmd bash "$container"
    buildah commit --quiet --rm "$container" "$own_base" >/dev/null
    rm -rf --one-file-system "$root" "$root.log"
    echo "$own_base"
  fi
}

# debootstrap knows the release, not what was repaired since: the same server has it beside.
with_security_updates() {
  sed -nE 's#^deb ([^ ]*/debian) bookworm main#deb \1-security bookworm-security main#p' "$1/etc/apt/sources.list" \
    >"$1/etc/apt/sources.list.d/security.list"
  chroot "$1" sh -c 'apt-get update -qq && apt-get upgrade -qq --yes' >/dev/null
}

# What Debian's slim image leaves out.
as_slim() {
  rm -rf "$1"/var/cache/apt/*.bin "$1"/var/cache/apt/archives/*.deb "$1"/var/lib/apt/lists/* "$1"/var/log/*.log
  find "$1/usr/share/doc" -mindepth 2 -type f ! -name copyright -delete
  rm -rf "$1"/usr/share/{info,locale,man}/*
  cat >"$1/etc/dpkg/dpkg.cfg.d/slim" <<'LINES'
path-exclude /usr/share/doc/*
path-include /usr/share/doc/*/copyright
path-exclude /usr/share/info/*
path-exclude /usr/share/locale/*
path-exclude /usr/share/man/*
LINES
  cat >"$1/etc/apt/apt.conf.d/slim" <<'LINES'
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin || true"; };
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
LINES
}

megabytes_of() {
  podman image inspect --format '{{.Size}}' "$1" | awk '{ printf "%.0f", $1 / 1e6 }'
}

base=$(base_image)
options=(--isolation chroot --layers --format docker --build-arg "BASE=$base" --file docker/Dockerfile)
[[ -z ${PIP_CONFIG_FILE:-} ]] || options+=(--secret "id=pip,src=$PIP_CONFIG_FILE")
[[ -z ${SSL_CERT_FILE:-} ]] || options+=(--secret "id=certificates,src=$SSL_CERT_FILE")
for target in "${targets[@]}"; do
  say "building firstline-$target on $base"
  buildah build "${options[@]}" --target "$target" --tag "localhost/firstline-$target" .
done
base_megabytes=$(megabytes_of "$base")
printf '%-18s %6s   %s\n' image "MB" "over its base ($base, $base_megabytes MB)"
for target in "${targets[@]}"; do
  megabytes=$(megabytes_of "localhost/firstline-$target")
  printf '%-18s %6d   %d\n' "firstline-$target" "$megabytes" $((megabytes - base_megabytes))
done
