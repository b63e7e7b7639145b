#!/usr/bin/env bash
# Builds orders.jar unless this very content was built before, and prints the path of the jar in the cache.
# The same file is left at target/orders.jar. Needs Maven and a JDK from 17 on.
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

jar=$cache/orders-$(content_hash)/orders.jar
mkdir -p "$cache"
exec 9>"$cache/orders.lock"
flock 9

if [ -f "$jar" ]; then
  cmp -s "$jar" "$here/target/orders.jar" || put "$jar" "$here/target/orders.jar"
else
  (cd "$here" && mvn -q -B package -DskipTests) >&2
  put "$here/target/orders.jar" "$jar"
fi
echo "$jar"
