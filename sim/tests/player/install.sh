#!/bin/sh
# Installs what the tests of the player need: Chromium (with apt, where it is missing and we may), and, in the folder that the first argument
# names, playwright-core, which brings no browser of its own. Does nothing where all is there.
set -eu
tools=${1:?usage: install.sh FOLDER}
playwright=1.64.1

if ! { command -v chromium && command -v npm; } >/dev/null; then
  apt-get update -q
  DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends chromium npm
fi
if [ "$(cat "$tools/playwright/installed" 2>/dev/null)" != "$playwright" ]; then
  rm -rf "$tools/playwright"
  mkdir -p "$tools/playwright"
  npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$tools/playwright" "playwright-core@$playwright"
  echo "$playwright" >"$tools/playwright/installed"
fi
