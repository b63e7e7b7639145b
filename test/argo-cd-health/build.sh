#!/usr/bin/env bash
# Builds what runs health scripts unless this very version was built before, and prints the directory in the cache that has it. Needs Go.
source "$(dirname "${BASH_SOURCE[0]}")/../built-once.sh"

build() {
  go build -trimpath -ldflags '-s -w' -o "$1/argo-cd-health" .
}

built_once argo-cd-health go.mod go.sum main.go
