#!/usr/bin/env bash
# Builds Argo CD's application controller and repo server, and the kustomize that they call, from their Go modules unless these very
# versions were built before, and prints the directory in the cache that has them, with the kinds in crds/ and the ConfigMap of an install.
# Needs Go. go.mod has Argo CD's replacements, which a build from outside would not take over.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${FLAMEGATE_CACHE:-$HOME/.cache/flamegate}
key=$(cd "$here" && sha256sum build.sh go.mod go.sum main.go | sha256sum | cut -c1-16)
out=$cache/argo-cd-$key
mkdir -p "$cache"
exec 9> "$cache/argo-cd.lock"
flock 9 # a second builder waits for the first one's result

if [ ! -d "$out" ]; then
  building=$out.part
  rm -rf "$building"
  mkdir -p "$building"
  echo "building Argo CD: about 6 minutes on 2 idle cores" >&2
  export CGO_ENABLED=0 GOFLAGS=-buildvcs=false
  cd "$here"
  go build -p "${JOBS:-2}" -trimpath -ldflags '-s -w' -o "$building/argo-cd" . >&2
  go build -p "${JOBS:-2}" -trimpath -ldflags '-s -w' -o "$building/kustomize" sigs.k8s.io/kustomize/kustomize/v5 >&2
  manifests=$(go list -m -f '{{.Dir}}' github.com/argoproj/argo-cd/v3)/manifests
  cp -r "$manifests/crds" "$manifests/base/config/argocd-cm.yaml" "$building/"
  chmod -R u+w "$building"
  mv "$building" "$out"
fi
echo "$out"
