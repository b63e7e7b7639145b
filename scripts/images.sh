#!/bin/bash
# images.sh [IMAGE...]: stages and archives the images whose inputs changed, and loads them into the test cluster if it is up.
# IMAGE is controller, agent, orders-jdk17 or orders-jdk25; default all. Archives are left at build/images/IMAGE.tar.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. test/cluster/env.sh

declare -A names=(
  [controller]=$CONTROLLER_IMAGE
  [agent]=$AGENT_IMAGE
  [orders-jdk17]=$ORDERS_JDK17_IMAGE
  [orders-jdk25]=$ORDERS_JDK25_IMAGE
)
[ $# -gt 0 ] || set -- controller agent orders-jdk17 orders-jdk25

# User, environment and entrypoint are said once, in the Dockerfile.
archive() { # IMAGE ARCHIVE DOCKERFILE
  local options=() entrypoint variable
  options+=(-u "$(sed -n 's/^USER //p' "$3")")
  while read -r variable; do options+=(-e "$variable"); done < <(sed -n 's/^ENV //p' "$3")
  mapfile -t entrypoint < <(sed -n 's/^ENTRYPOINT //p' "$3" | jq -r '.[]')
  scripts/images/archive.sh "${options[@]}" "${names[$1]}" "build/images/$1" "$2" "${entrypoint[@]}"
}

make_image() { # IMAGE
  local out=build/images/$1 dockerfile=images/${1%-jdk*}.Dockerfile key
  key="$(scripts/stage-image.sh "$1" --key) $(sha256sum < "$dockerfile") ${names[$1]}"
  if [ ! -e "$out.tar" ] || [ "$key" != "$(cat "$out.key" 2> /dev/null)" ]; then
    scripts/stage-image.sh "$1" "$out"
    archive "$1" "$out.tar" "$dockerfile"
    rm -rf "$out"
    echo "$key" > "$out.key"
    echo "made ${names[$1]}, $(($(stat -c %s "$out.tar") / 1000000)) MB"
  fi
}

import_images() { # IMAGE...
  if [ "$CLUSTER" = existing ]; then
    echo "the cluster is yours: push what it shall pull, for example"
    for image; do echo "  skopeo copy oci-archive:build/images/$image.tar docker://${names[$image]}"; done
  elif kubectl get --raw /readyz > /dev/null 2>&1; then
    local archives=("${@/#/build/images/}")
    test/cluster/import.sh "${archives[@]/%/.tar}"
  else
    echo "cluster $CLUSTER_NAME is not up: nothing imported"
  fi
}

mkdir -p build/images
samples/orders/build.sh > /dev/null
for image; do make_image "$image"; done
import_images "$@"
