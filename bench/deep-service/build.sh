#!/usr/bin/env bash
# Builds deep-service.jar unless this very content was built before, and prints the path of the jar in the cache.
# The same file is left at target/deep-service.jar. Needs Maven and a JDK from 17 on.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${FLAMEGATE_CACHE:-$HOME/.cache/flamegate}

content_hash() {
  cd "$here"
  find pom.xml build.sh src/main -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c1-16
}

# Copies by rename, so that nobody ever sees half a jar.
put() {
  mkdir -p "$(dirname "$2")"
  cp "$1" "$2.$$"
  mv "$2.$$" "$2"
}

jar=$cache/deep-service-$(content_hash)/deep-service.jar
mkdir -p "$cache"
exec 9>"$cache/deep-service.lock"
flock 9

if [ -f "$jar" ]; then
  cmp -s "$jar" "$here/target/deep-service.jar" || put "$jar" "$here/target/deep-service.jar"
else
  (cd "$here" && mvn -q -B package -DskipTests) >&2
  put "$here/target/deep-service.jar" "$jar"
fi
echo "$jar"
