#!/usr/bin/env bash
# A Kubernetes API server and the etcd behind it, built from the Go modules that ../kubernetes/go.mod pins: two static
# programs. Needs Go, and takes ten minutes of one core.
set -euo pipefail

version=1.36.3
module=$(cd "$(dirname "${BASH_SOURCE[0]}")/../kubernetes" && pwd)

case $1 in
  folder) echo "kubernetes-$version" ;;
  build)
    out=$(cd "$2" && pwd)
    cd "$module"
    grep -q "k8s.io/kubernetes v$version " go.mod
    # -p 1: the linker and the largest packages need 2 GB each
    export CGO_ENABLED=0 GOFLAGS="-mod=readonly -buildvcs=false -p=${REKEYD_GO_JOBS:-1}"
    go build -trimpath -ldflags "-s -w" -o "$out/etcd" go.etcd.io/etcd/server/v3
    # without its version the server does not start
    named="-X k8s.io/component-base/version.gitVersion=v$version"
    go build -trimpath -ldflags "-s -w $named" -o "$out/kube-apiserver" k8s.io/kubernetes/cmd/kube-apiserver
    "$out/etcd" --version
    "$out/kube-apiserver" --version
    ;;
esac
