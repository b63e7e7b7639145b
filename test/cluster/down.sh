#!/bin/bash
# down.sh: stops the cluster CLUSTER_NAME and removes all that it left on the machine. Safe to repeat, and after a crash.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/env.sh"
[ "$CLUSTER" = own ] || { echo "the cluster is yours: it stays"; exit 0; }
. "$here/lib.sh"
. "$here/teardown.sh"
[ "$(id -u)" = 0 ] || die "needs root"
started_ms=$(date +%s%3N)
with_lock
remove_cluster
rmdir --ignore-fail-on-non-empty "$STATE_ROOT"
echo "cluster $CLUSTER_NAME is down, after $(($(date +%s%3N) - started_ms)) ms"
