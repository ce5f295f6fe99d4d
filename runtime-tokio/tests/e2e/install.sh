#!/bin/sh
# Installs what the end-to-end tests talk to: Debian's serf (with apt, where it is missing and we may), and, in the folder that the
# first argument names, Python's serfclient and prometheus_client, and node-serf. Does nothing where all is there.
set -eu
tools=${1:?usage: install.sh FOLDER}
python="serfclient==1.2.0 prometheus_client==0.26.0"
node_serf=2.0.0

if ! command -v serf >/dev/null; then
  apt-get install -y serf
fi
mkdir -p "$tools"

if [ "$(cat "$tools/python/installed" 2>/dev/null)" != "$python" ]; then
  rm -rf "$tools/python"
  python3 -m venv "$tools/python"
  "$tools/python/bin/pip" install --quiet --disable-pip-version-check $python
  echo "$python" >"$tools/python/installed"
fi

if [ "$(cat "$tools/node/installed" 2>/dev/null)" != "$node_serf" ]; then
  rm -rf "$tools/node"
  mkdir -p "$tools/node"
  npm install --silent --no-audit --no-fund --prefix "$tools/node" "node-serf@$node_serf"
  echo "$node_serf" >"$tools/node/installed"
fi
