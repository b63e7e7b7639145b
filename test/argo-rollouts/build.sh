#!/usr/bin/env bash
# Builds the controller of Argo Rollouts from its Go module unless this very version was built before, and prints the directory in the
# cache that has it, with the kinds it ships in crds/. Needs Go. go.mod has its requirements and replacements, which a build from outside
# would not take over.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${FLAMEGATE_CACHE:-$HOME/.cache/flamegate}
key=$(cd "$here" && sha256sum build.sh go.mod go.sum | sha256sum | cut -c1-16)
out=$cache/argo-rollouts-$key
mkdir -p "$cache"
exec 9> "$cache/argo-rollouts.lock"
flock 9 # a second builder waits for the first one's result

if [ ! -d "$out" ]; then
  building=$out.part
  rm -rf "$building"
  mkdir -p "$building"
  echo "building Argo Rollouts: about 3 minutes on 2 idle cores" >&2
  export CGO_ENABLED=0 GOFLAGS=-buildvcs=false
  cd "$here"
  go build -trimpath -ldflags '-s -w' -o "$building/rollouts-controller" github.com/argoproj/argo-rollouts/cmd/rollouts-controller >&2
  cp -r "$(go list -m -f '{{.Dir}}' github.com/argoproj/argo-rollouts)/manifests/crds" "$building/crds"
  chmod -R u+w "$building"
  mv "$building" "$out"
fi
echo "$out"
