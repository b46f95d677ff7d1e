#!/usr/bin/env bash
# moto, an emulator of AWS (https://docs.getmoto.org), from PyPI. pip's --target makes a plain folder for PYTHONPATH, which
# may be renamed, as a virtual environment may not. Needs Python 3 with pip.
set -euo pipefail

version=5.2.5
pinned=$(cd "$(dirname "${BASH_SOURCE[0]}")/../moto" && pwd)/requirements.txt

case $1 in
  folder) echo "moto-$version" ;;
  build)
    grep -qx "moto==$version" "$pinned"
    export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
    # all is pinned, so there is nothing to resolve
    python3 -m pip install --quiet --no-deps --target "$2" --requirement "$pinned"
    PYTHONPATH=$2 python3 -c 'import moto.server, moto.secretsmanager, moto.sts'
    ;;
esac
