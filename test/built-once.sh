# built-once.sh: sourced by a build.sh that makes programs from Go modules. Needs Go.
# shellcheck shell=bash
set -euo pipefail

# built_once NAME FILE...: prints the directory in the cache that has what the caller's function `build DIRECTORY` makes. It is called in
# the caller's own directory, and only where these very files, the caller and this one have not made it before.
built_once() {
  local name=$1 caller=${BASH_SOURCE[1]} cache=${FLAMEGATE_CACHE:-$HOME/.cache/flamegate} key out
  cd "$(dirname "$caller")"
  shift
  key=$(sha256sum ../built-once.sh build.sh "$@" | sha256sum | cut -c1-16)
  out=$cache/$name-$key
  mkdir -p "$cache"
  exec 9> "$cache/$name.lock"
  flock 9 # a second builder waits for the first one's result

  if [ ! -d "$out" ]; then
    rm -rf "$out.part"
    mkdir -p "$out.part"
    export CGO_ENABLED=0 GOFLAGS=-buildvcs=false
    build "$out.part" >&2
    chmod -R u+w "$out.part" # what is copied out of a module is read-only
    mv "$out.part" "$out"
  fi
  echo "$out"
}
