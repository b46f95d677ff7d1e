#!/usr/bin/env bash
# The Prometheus operator's definitions of ServiceMonitor and PrometheusRule, which the chart's own are validated by: two files
# of the operator's Go module, held to its checksum. Needs Go.
set -euo pipefail

version=0.85.0
module=github.com/prometheus-operator/prometheus-operator
sum=h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s=

case $1 in
  folder) echo "prometheus-operator-$version-definitions" ;;
  build)
    out=$(cd "$2" && pwd)
    cd "$out" # no module's folder, so that the version asked for is the one that comes
    found=$(go mod download -json "$module@v$version")
    grep -qF "\"Sum\": \"$sum\"" <<< "$found"
    sources=$(sed -n 's/^\t"Dir": "\(.*\)",$/\1/p' <<< "$found")
    for kind in servicemonitors prometheusrules; do
      install -m 0644 "$sources/example/prometheus-operator-crd/monitoring.coreos.com_$kind.yaml" "$out/$kind.yaml"
    done
    ;;
esac
