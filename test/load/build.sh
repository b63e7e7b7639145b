#!/usr/bin/env bash
# Builds flamegate-load unless this very content was built before, and prints the path of the binary in the cache.
# Needs Go.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${FLAMEGATE_CACHE:-$HOME/.cache/flamegate}

content_hash() {
  cd "$here"
  find . -maxdepth 1 -type f \( -name '*.go' -o -name 'go.*' -o -name build.sh \) ! -name '*_test.go' -print0 |
    LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c1-16
}

binary=$cache/load-$(content_hash)/flamegate-load
mkdir -p "$cache"
exec 9>"$cache/load.lock"
flock 9

if [ ! -x "$binary" ]; then
  mkdir -p "$(dirname "$binary")"
  # One package at a time: the machine that runs the load often runs the cluster too.
  (cd "$here" && CGO_ENABLED=0 go build -p 1 -trimpath -o "$binary.$$" .) >&2
  mv "$binary.$$" "$binary"
fi
echo "$binary"
