#!/usr/bin/env bash
# Makes the pictures in this folder anew: docs/comment/screenshots.sh [CASE…]. It needs Chromium, Python 3 and npm; what else it needs goes into the user's cache.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
tools=${XDG_CACHE_HOME:-$HOME/.cache}/prefect-deploy-action/screenshots
chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || { echo "no Chromium here: install it (Debian: apt-get install chromium)" >&2; exit 1; }
if [ ! -e "$tools/ready" ]; then
  mkdir -p "$tools"
  python3 -m venv "$tools/python"
  "$tools/python/bin/pip" install --quiet cmarkgfm==2025.10.22 pillow==12.0.0
  npm install --silent --no-fund --no-audit --prefix "$tools" github-markdown-css@5.9.0 mermaid@12.3.0
  touch "$tools/ready"
fi
[ $# -gt 0 ] || set -- first-deploy one-change 300-changes deletes sensitive failed-apply
"$tools/python/bin/python" "$here/screenshots.py" "$chromium" "$tools/node_modules" "$here" "$@"
