#!/bin/bash
# kubectl.sh ...: kubectl as admin of the cluster that env.sh chooses
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
kubectl "$@"
