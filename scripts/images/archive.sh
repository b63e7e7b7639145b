#!/bin/bash
# archive.sh [-u UID:GID] [-e NAME=VALUE]... REF ROOT OUT.tar ENTRYPOINT...
# Makes an OCI archive with one layer from the directory ROOT, without a registry or an image tool: `ctr images import` and
# `skopeo copy oci-archive:OUT.tar docker://...` take it. Everything in it belongs to root. Same input, same bytes.
# Layout: https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md
set -euo pipefail

user=0:0
env=(PATH=/usr/local/bin:/usr/bin:/bin)
while getopts u:e: option; do
  case $option in
    u) user=$OPTARG ;;
    e) env+=("$OPTARG") ;;
    *) exit 2 ;;
  esac
done
shift $((OPTIND - 1))
[ $# -ge 4 ] || { sed -n 2p "$0" >&2; exit 2; }
ref=$1 root=$2 out=$3
shift 3

layout=$(mktemp -d "$(dirname "$out")/.archive.XXXXXX")
trap 'rm -rf "$layout"' EXIT
mkdir -p "$layout/blobs/sha256"
tar_as_root() { tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner "$@"; }

# put FILE: moves it among the blobs and sets digest and size
put() {
  digest=$(sha256sum "$1" | cut -d' ' -f1)
  size=$(stat -c %s "$1")
  mv "$1" "$layout/blobs/sha256/$digest"
}

# not compressed: gzip would take longer than everything else here together, and importing longer, too
tar_as_root -C "$root" -cf "$layout/layer" .
put "$layout/layer"
layer=$digest layer_size=$size

jq -n --arg user "$user" --arg layer "sha256:$layer" --args '{
  architecture: "amd64", os: "linux",
  config: {User: $user, Env: $ARGS.positional[:'${#env[@]}'], Entrypoint: $ARGS.positional['${#env[@]}':]},
  rootfs: {type: "layers", diff_ids: [$layer]}}' -- "${env[@]}" "$@" > "$layout/config"
put "$layout/config"
config=$digest config_size=$size

jq -n --arg config "sha256:$config" --argjson config_size "$config_size" --arg layer "sha256:$layer" --argjson layer_size "$layer_size" '{
  schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json",
  config: {mediaType: "application/vnd.oci.image.config.v1+json", digest: $config, size: $config_size},
  layers: [{mediaType: "application/vnd.oci.image.layer.v1.tar", digest: $layer, size: $layer_size}]}' > "$layout/manifest"
put "$layout/manifest"

# the full name in the annotation, so that an import needs none of its own
jq -n --arg ref "$ref" --arg manifest "sha256:$digest" --argjson size "$size" '{
  schemaVersion: 2,
  manifests: [{mediaType: "application/vnd.oci.image.manifest.v1+json", digest: $manifest, size: $size,
    annotations: {"org.opencontainers.image.ref.name": $ref}}]}' > "$layout/index.json"
echo '{"imageLayoutVersion":"1.0.0"}' > "$layout/oci-layout"
tar_as_root -C "$layout" -cf "$out.part" oci-layout index.json blobs
mv "$out.part" "$out"
