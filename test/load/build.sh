#!/usr/bin/env bash
# Builds flamegate-load unless this very content was built before, and prints the directory in the cache that has it. Needs Go.
source "$(dirname "${BASH_SOURCE[0]}")/../built-once.sh"

build() {
  go build -p 1 -trimpath -o "$1/flamegate-load" . # one package at a time: the machine that runs the load often runs the cluster too
}

mapfile -t sources < <(cd "$(dirname "${BASH_SOURCE[0]}")" && find . -maxdepth 1 -name '*.go' ! -name '*_test.go' | LC_ALL=C sort)
built_once load go.mod go.sum "${sources[@]}"
