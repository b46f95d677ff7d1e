#!/usr/bin/env bash
# promtool, from Debian's package `prometheus`: taken out of it, nothing is installed. Needs apt-get and dpkg-deb. Debian
# replaces a version by its next security update, so none is pinned; the language of rules is stable.
set -euo pipefail

case $1 in
  folder) echo prometheus-debian ;;
  build)
    cd "$2"
    apt-get download prometheus
    dpkg-deb -x prometheus_*.deb .
    rm prometheus_*.deb
    usr/bin/promtool --version
    ;;
esac
