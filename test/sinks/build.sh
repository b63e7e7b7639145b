#!/usr/bin/env bash
# Builds the receivers unless this very content was built before, and prints the path of the binary in the cache.
# Needs Go.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${FLAMEGATE_CACHE:-$HOME/.cache/flamegate}
key=$(cd "$here" && sha256sum build.sh go.mod go.sum main.go | sha256sum | cut -c1-16)
binary=$cache/sink-receivers-$key/sink-receivers
mkdir -p "$cache"
exec 9> "$cache/sink-receivers.lock"
flock 9 # a second builder waits for the first one's result

if [ ! -x "$binary" ]; then
  mkdir -p "$(dirname "$binary")"
  echo "building what sinks send to: about a minute on 2 idle cores" >&2
  (cd "$here" && CGO_ENABLED=0 GOFLAGS=-buildvcs=false go build -trimpath -ldflags '-s -w' -o "$binary.$$" .) >&2
  mv "$binary.$$" "$binary"
fi
echo "$binary"
