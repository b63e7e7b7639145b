#!/usr/bin/env bash
# Builds the controller of Flagger from its Go module unless this very version was built before, and prints the directory in the cache
# that has it, with the kinds it ships in crd.yaml. Needs Go. go.mod has its requirements, which a build from outside would not take over.
source "$(dirname "${BASH_SOURCE[0]}")/../built-once.sh"

build() {
  echo "building Flagger: about 3 minutes on 2 idle cores"
  go build -trimpath -ldflags '-s -w' -o "$1/flagger" github.com/fluxcd/flagger/cmd/flagger
  cp "$(go list -m -f '{{.Dir}}' github.com/fluxcd/flagger)/artifacts/flagger/crd.yaml" "$1/crd.yaml"
}

built_once flagger go.mod go.sum
