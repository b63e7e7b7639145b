#!/bin/bash
# second-node.sh up|lose: a second node beside the first of a running cluster, with a kubelet, a containerd and a pod network of its own;
# or its end: kubelet, containerd and every container at once, as when a machine goes. Its Node object is for the caller. Prints its name.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/env.sh"
for part in lib boot/pki boot/process boot/node; do
  # shellcheck source=/dev/null
  . "$here/$part.sh"
done
alive kubelet || die "cluster $CLUSTER_NAME is not up"
first_pki=$PKI
GROUP=$CLUSTER_NAME/second
NODE=$CLUSTER_NAME-second
BIN=$CLUSTER_STATE/bin

# What has a name of its own in the templates of conf/; pid files and logs stay with the first node's.
set_paths() {
  CLUSTER_STATE=$CLUSTER_STATE/second
  CONF=$CLUSTER_STATE/conf
  POD_CIDR=$NET.3.0/24
  SOCKET=$CLUSTER_STATE/containerd.sock
}

write_config() {
  mkdir -p "$CONF/cni" "$CLUSTER_STATE"/{kubelet,containerd,pod-logs,run}
  local run=$RUN
  RUN=$CLUSTER_STATE/run
  fill containerd.toml "$CONF/containerd.toml"
  fill kubelet.yaml "$CONF/kubelet.yaml"
  fill bridge.conflist "$CONF/cni/10-bridge.conflist"
  RUN=$run
  sed -i -e 's/^port: .*/port: 10251\nhealthzPort: 10258/' -e "s#^cgroupRoot: .*#cgroupRoot: /$GROUP#" "$CONF/kubelet.yaml"
  sed -i -e 's/"cni0"/"cni1"/' -e "s/\"name\": \"$CLUSTER_NAME\"/\"name\": \"$NODE\"/" "$CONF/cni/10-bridge.conflist"
  echo "nameserver $DNS_IP" > "$CONF/resolv.conf"
}

make_identity() (
  umask 077
  cd "$first_pki"
  [ -e second.kubeconfig ] || make_user second "/O=system:nodes/CN=system:node:$NODE"
)

up() {
  local image
  set_paths
  write_config
  make_identity
  (CLUSTER_NAME=$GROUP && make_cgroups)
  ip route replace "$POD_CIDR" via "$NODE_IP"
  start second-containerd containerd -c "$CONF/containerd.toml"
  wait_for second-containerd 30 in_node ctr --address "$SOCKET" version
  for image in "$(dirname "$CLUSTER_STATE")/pause.tar" "$here"/../../build/images/{agent,orders-jdk25}.tar; do
    in_node ctr --address "$SOCKET" --namespace k8s.io images import "$(realpath "$image")" > /dev/null
  done
  start second-kubelet "$BIN/kubeling" kubelet --config="$CONF/kubelet.yaml" --kubeconfig="$first_pki/second.kubeconfig" \
    --root-dir="$CLUSTER_STATE/kubelet" --hostname-override="$NODE" --node-ip="$NODE_IP" --cert-dir="$CLUSTER_STATE/run"
  wait_for second-kubelet 120 "$BIN/kubectl" wait --for=condition=Ready "node/$NODE" --timeout=5s
  echo "$NODE"
}

lose() {
  local name mount pids
  for name in second-kubelet second-containerd; do
    ! alive "$name" || kill -9 "$(cat "$RUN/$name.pid")"
  done
  for mount in $(cgroup_mounts); do
    pids=$(find "$mount/$GROUP" -name cgroup.procs -exec cat {} + 2> /dev/null | sed '/^0$/d' | sort -un)
    # shellcheck disable=SC2086 # one word per pid
    [ -z "$pids" ] || kill -9 $pids 2> /dev/null || true
  done
}

case ${1:-} in
  up) up ;;
  lose) lose ;;
  *) die "usage: second-node.sh up|lose" ;;
esac
