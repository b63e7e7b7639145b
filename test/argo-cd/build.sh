#!/usr/bin/env bash
# Builds Argo CD's application controller and repo server, and the kustomize that they call, from their Go modules unless these very
# versions were built before, and prints the directory in the cache that has them, with the kinds in crds/ and the ConfigMap of an install.
# Needs Go. go.mod has Argo CD's replacements, which a build from outside would not take over.
source "$(dirname "${BASH_SOURCE[0]}")/../built-once.sh"

build() {
  local manifests
  echo "building Argo CD: about 6 minutes on 2 idle cores"
  go build -p "${JOBS:-2}" -trimpath -ldflags '-s -w' -o "$1/argo-cd" .
  go build -p "${JOBS:-2}" -trimpath -ldflags '-s -w' -o "$1/kustomize" sigs.k8s.io/kustomize/kustomize/v5
  manifests=$(go list -m -f '{{.Dir}}' github.com/argoproj/argo-cd/v3)/manifests
  cp -r "$manifests/crds" "$manifests/base/config/argocd-cm.yaml" "$1/"
}

built_once argo-cd go.mod go.sum main.go
