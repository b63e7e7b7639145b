#!/usr/bin/env bash
# Fetches speedscope's page from its npm package unless this very version was fetched before, and prints the directory in the cache that has it.
# No dependency in package.json: of the package only static files are used, and of its own dependencies nothing.
set -euo pipefail

version=1.25.0
sha256=2831f1e0d26df914b477e522d78b8485511495a6af81a0b88158f8b48f9e0d03
cache=${FLAMEGATE_CACHE:-$HOME/.cache/flamegate}
out=$cache/speedscope-$version
mkdir -p "$cache"
exec 9> "$cache/speedscope.lock"
flock 9 # a second one waits for the first one's result

if [ ! -d "$out" ]; then
  part=$(mktemp -d "$cache/.speedscope.XXXXXX")
  trap 'rm -rf "$part"' EXIT
  (cd "$part" && npm pack --silent "speedscope@$version" > /dev/null)
  echo "$sha256  $part/speedscope-$version.tgz" | sha256sum --check --quiet
  tar xzf "$part/speedscope-$version.tgz" -C "$part"
  mv "$part/package/dist/release" "$out"
fi
echo "$out"
