#!/usr/bin/env bash
# The helm command, built from the Go module that ../helm pins: one static program, which lints and renders the chart for
# `npm run test:helm`. Needs Go, and takes some minutes of one core.
set -euo pipefail

version=4.3.1
module=$(cd "$(dirname "${BASH_SOURCE[0]}")/../helm" && pwd)

case $1 in
  folder) echo "helm-$version" ;;
  build)
    out=$(cd "$2" && pwd)
    cd "$module"
    grep -q "helm.sh/helm/v4 v$version " go.mod
    # -p 1: the linker and the largest packages need 1 GB each
    export CGO_ENABLED=0 GOFLAGS="-mod=readonly -buildvcs=false -p=${REKEYD_GO_JOBS:-1}"
    go build -trimpath -ldflags "-s -w -X helm.sh/helm/v4/internal/version.version=v$version" \
      -o "$out/helm" helm.sh/helm/v4/cmd/helm
    "$out/helm" version --short
    ;;
esac
