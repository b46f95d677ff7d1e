#!/usr/bin/env bash
# Brings the base image that the Dockerfile names: the official one where a registry of images is reached, else one of the
# same name made of Debian (debootstrap) and the Node that `npm ci` brought along. Safe to run twice: an image that is there
# stays. Such a stand-in knows this machine's certificates and npm registry, so that `npm ci` works in a build as it does
# here; images built on it are for tests, not for shipping.
#   test/servers/node-image.sh        prints the name of the image
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
image=$(sed -n 's/^ARG NODE_IMAGE=//p' "$root/Dockerfile")
log=$(mktemp)
work=$(mktemp -d)
trap 'rm -rf "$work" "$log"' EXIT

say() { echo "node-image: $*" >&2; }

make_stand_in() {
  local node="$root/node_modules/node/bin/node" npm
  command -v debootstrap > /dev/null || { say 'debootstrap is missing: apt-get install debootstrap'; return 1; }
  [ "$(id -u)" = 0 ] || { say 'debootstrap needs root'; return 1; }
  [ -x "$node" ] || { say "there is no $node: run npm ci"; return 1; }
  npm=$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")
  debootstrap --variant=minbase --include=ca-certificates,libstdc++6 bookworm "$work/root" > "$log" 2>&1 || { tail "$log" >&2; return 1; }
  rm -rf "$work"/root/var/cache/apt/* "$work"/root/var/lib/apt/lists/* "$work"/root/usr/share/{doc,man,locale}
  install -D "$node" "$work/root/usr/local/bin/node"
  mkdir -p "$work/root/usr/local/lib/node_modules" "$work/root/usr/local/etc"
  cp -R "$npm" "$work/root/usr/local/lib/node_modules/npm"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$work/root/usr/local/bin/npm"
  cp -L /etc/ssl/certs/ca-certificates.crt "$work/root/etc/ssl/certs/ca-certificates.crt"
  # only where npm's packages come from: no token, no password
  { echo 'cafile=/etc/ssl/certs/ca-certificates.crt'; echo "registry=$(npm config get registry)"; } > "$work/root/usr/local/etc/npmrc"
  tar -C "$work/root" -cf - . | docker import --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
    --change 'CMD ["node"]' --message 'a stand-in for tests' - "$image" > /dev/null
}

if ! docker image inspect "$image" > /dev/null 2>&1; then
  if timeout 120 docker pull "$image" > "$log" 2>&1; then
    say "$image was pulled"
  else
    say "$image cannot be pulled ($(tail -n 1 "$log")): making a stand-in"
    make_stand_in
  fi
fi
echo "$image"
