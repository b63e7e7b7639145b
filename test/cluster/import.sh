#!/bin/bash
# import.sh ARCHIVE...: loads image archives into the running node, each once
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/env.sh"
. "$here/lib.sh"
alive containerd || die "cluster $CLUSTER_NAME is not up"
mkdir -p "$RUN/imported"
for archive; do
  archive=$(realpath "$archive")
  mark=$RUN/imported/$(basename "$archive")
  version=$(stat -c '%s %y' "$archive")
  [ "$(cat "$mark" 2> /dev/null)" != "$version" ] || continue
  in_node ctr --address "$SOCKET" --namespace k8s.io images import "$archive" > /dev/null
  echo "$version" > "$mark"
done
