#!/bin/bash
# build.sh: builds kubeling (etcd, every Kubernetes component and kubectl), kubeling-dns (CoreDNS) and pause, and prints the
# directory they are in. That directory is in the cache, named after a hash of all that goes in: the second call only prints.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${FLAMEGATE_CACHE:-$HOME/.cache/flamegate}
export CGO_ENABLED=0 GOFLAGS=-buildvcs=false

version=$(awk '$1 == "k8s.io/kubernetes" { print $2; exit }' "$here/kubeling/go.mod")
minor=${version#v1.}
flags="-s -w"
for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do # without them: v0.0.0-master
  flags+=" -X $package.gitVersion=$version -X $package.gitMajor=1 -X $package.gitMinor=${minor%%.*} -X $package.gitTreeState=clean"
  flags+=" -X $package.gitCommit=0000000000000000000000000000000000000000 -X $package.buildDate=2026-01-01T00:00:00Z"
done
tags=providerless,grpcnotrace

inputs() {
  cat "$here"/kubeling/{go.mod,go.sum,main.go,pause/main.go} "$here"/dns/{go.mod,go.sum,main.go}
  echo "$flags $tags $CGO_ENABLED $GOFLAGS"
}
key=$(inputs | sha256sum | cut -c1-16)
out=$cache/cluster-$key
[ ! -d "$out" ] || { echo "$out"; exit 0; }

command -v go > /dev/null || { echo "error: no go: the test cluster is built from Kubernetes' Go modules" >&2; exit 1; }
mkdir -p "$cache"
exec 9> "$cache/cluster.lock"
flock 9 # a second builder waits for the first one's result
[ ! -d "$out" ] || { echo "$out"; exit 0; }

building=$out.part
rm -rf "$building"
mkdir "$building"
echo "building Kubernetes $version: about 6 minutes on 2 idle cores" >&2
(cd "$here/kubeling" && go build -p "${JOBS:-2}" -trimpath -tags "$tags" -ldflags "$flags" -o "$building/kubeling" . >&2)
(cd "$here/kubeling" && go build -trimpath -ldflags "-s -w" -o "$building/pause" ./pause >&2)
(cd "$here/dns" && go build -p "${JOBS:-2}" -trimpath -ldflags "-s -w" -o "$building/kubeling-dns" . >&2)
ln -s kubeling "$building/kubectl"
mv "$building" "$out"
echo "$out"
