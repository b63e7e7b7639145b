#!/usr/bin/env bash
# Fills node_modules from package-lock.json. A filled one is kept outside the tree under the lock file's hash, so that the
# next clone takes seconds. `npm install --no-save` and not `npm ci`: where a registry does not carry the optional binaries
# of other systems, the lock file lacks them, and `npm ci` calls that a broken lock; --no-save still installs what is locked.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
cache=${FLAMEGATE_CACHE:-$HOME/.cache/flamegate}
key=$(cat package.json package-lock.json | sha256sum | cut -c1-16)
kept=$cache/packages-$key

rm -rf node_modules
if [ -d "$kept/node_modules" ]; then
  cp -a "$kept/node_modules" node_modules
else
  npm install --no-save --ignore-scripts --no-audit --no-fund --loglevel=error
  if mkdir -p "$cache" && part=$(mktemp -d "$cache/.packages.XXXXXX"); then
    trap 'rm -rf "$part"' EXIT # where another build was first, or the disk is full
    if cp -a node_modules "$part/"; then mv -T "$part" "$kept" 2> /dev/null || true; fi
  fi
fi
touch node_modules/.installed
