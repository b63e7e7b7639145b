#!/usr/bin/env bash
# Gets the agents of pom.xml unless exactly these were got before, and prints their directory in the cache. Needs Maven.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${FLAMEGATE_CACHE:-$HOME/.cache/flamegate}
agents=$cache/overhead-agents-$(cat "$here/pom.xml" "$here/fetch.sh" | sha256sum | cut -c1-16)
mkdir -p "$cache"
exec 9>"$cache/overhead-agents.lock"
flock 9

if [ ! -d "$agents" ]; then
  part=$(mktemp -d "$cache/.overhead-agents.XXXXXX")
  trap 'rm -rf "$part"' EXIT
  mvn -q -B -f "$here/pom.xml" package "-Dagents.directory=$part/agents" >&2
  mv "$part/agents" "$agents"
fi
echo "$agents"
