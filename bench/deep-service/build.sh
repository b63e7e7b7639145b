#!/usr/bin/env bash
# Builds deep-service.jar unless this very content was built before, and prints the path of the jar in the cache.
# Needs Maven and a JDK from 17 on.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${FLAMEGATE_CACHE:-$HOME/.cache/flamegate}
content=$(cd "$here" && find pom.xml src -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c1-16)
jar=$cache/deep-service-$content/deep-service.jar
mkdir -p "$(dirname "$jar")"
exec 9>"$cache/deep-service.lock"
flock 9

if [ ! -f "$jar" ]; then
  (cd "$here" && mvn -q -B package -DskipTests) >&2
  cp "$here/target/deep-service.jar" "$jar.$$"
  mv "$jar.$$" "$jar" # so that nobody ever sees half a jar
fi
echo "$jar"
