#!/usr/bin/env bash
# Builds the controller of Flagger from its Go module unless this very version was built before, and prints the directory in the cache
# that has it, with the kinds it ships in crd.yaml. Needs Go. go.mod has its requirements, which a build from outside would not take over.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${FLAMEGATE_CACHE:-$HOME/.cache/flamegate}
key=$(cd "$here" && sha256sum build.sh go.mod go.sum | sha256sum | cut -c1-16)
out=$cache/flagger-$key
mkdir -p "$cache"
exec 9> "$cache/flagger.lock"
flock 9 # a second builder waits for the first one's result

if [ ! -d "$out" ]; then
  building=$out.part
  rm -rf "$building"
  mkdir -p "$building"
  echo "building Flagger: about 3 minutes on 2 idle cores" >&2
  export CGO_ENABLED=0 GOFLAGS=-buildvcs=false
  cd "$here"
  go build -trimpath -ldflags '-s -w' -o "$building/flagger" github.com/fluxcd/flagger/cmd/flagger >&2
  cp "$(go list -m -f '{{.Dir}}' github.com/fluxcd/flagger)/artifacts/flagger/crd.yaml" "$building/crd.yaml"
  chmod -R u+w "$building"
  mv "$building" "$out"
fi
echo "$out"
