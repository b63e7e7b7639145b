#!/usr/bin/env bash
# Builds the controller of Argo Rollouts from its Go module unless this very version was built before, and prints the directory in the
# cache that has it, with the kinds it ships in crds/. Needs Go. go.mod has its requirements and replacements, which a build from outside
# would not take over.
source "$(dirname "${BASH_SOURCE[0]}")/../built-once.sh"

build() {
  echo "building Argo Rollouts: about 3 minutes on 2 idle cores"
  go build -trimpath -ldflags '-s -w' -o "$1/rollouts-controller" github.com/argoproj/argo-rollouts/cmd/rollouts-controller
  cp -r "$(go list -m -f '{{.Dir}}' github.com/argoproj/argo-rollouts)/manifests/crds" "$1/crds"
}

built_once argo-rollouts go.mod go.sum
