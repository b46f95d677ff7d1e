#!/bin/sh
# The image's program: what a container, its health check and `docker exec` start. It writes no core file, which would hold
# what is in memory, also where nothing outside can forbid it, as in Kubernetes. Node is told of a small heap from the first,
# as bin/rekeyd.js says it: the program need not start itself anew for it. It takes the place of this shell, so that as process
# 1 it gets the signals.
ulimit -c 0
exec node --disable-proto=delete --max-semi-space-size=4 /opt/rekeyd/dist/bundle/rekeyd.js "$@"
