#!/usr/bin/env bash
# OpenBao, which speaks the API of HashiCorp Vault, built from the Go module in ../openbao: one static program. Needs Go.
set -euo pipefail

version=2.4.0
module=$(cd "$(dirname "${BASH_SOURCE[0]}")/../openbao" && pwd)

case $1 in
  folder) echo "openbao-$version" ;;
  build)
    out=$(cd "$2" && pwd)
    cd "$module"
    # go.sum holds what OpenBao's own build was proven with, so nothing is asked of a checksum database. -p 1: the linker
    # and the largest packages need 2 GB each.
    CGO_ENABLED=0 GOFLAGS=-mod=readonly go build -p "${REKEYD_GO_JOBS:-2}" -trimpath -buildvcs=false \
      -ldflags "-s -w -X github.com/openbao/openbao/version.fullVersion=$version" \
      -o "$out/bao" github.com/openbao/openbao
    "$out/bao" version
    ;;
esac
