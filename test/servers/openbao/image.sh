#!/usr/bin/env bash
# Makes the image `openbao/openbao:VERSION` out of the program that ../provision has built, for a machine that reaches no
# registry of images: the same program under the same name as the official one, with nothing else in it. Needs Docker.
#   test/servers/openbao/image.sh && REKEYD_SERVERS_FROM=container npx vitest run --project servers test/servers/vault-hashicorp
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=$(bash "$here/../provision.d/openbao.sh" folder)
program=${REKEYD_SERVERS:-$HOME/.cache/rekeyd-servers}/$folder/bao
image=openbao/openbao:${folder#openbao-}

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root/bin" "$root/etc"
mkdir -m 1777 "$root/tmp"
cp "$program" "$root/bin/bao"
echo 'root:x:0:0:root:/:/bin/bao' > "$root/etc/passwd"
tar -C "$root" -cf - . | docker import --change 'ENV PATH=/bin' --change 'ENTRYPOINT ["bao"]' --change 'EXPOSE 8200' - "$image"
