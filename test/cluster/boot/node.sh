# shellcheck shell=bash
# containerd, kubelet, kube-proxy and cluster DNS.

write_node_config() {
  local template
  mkdir -p "$CONF/cni"
  for template in containerd.toml kubelet.yaml proxy.yaml Corefile dns.yaml; do fill "$template" "$CONF/$template"; done
  fill bridge.conflist "$CONF/cni/10-bridge.conflist"
  echo "nameserver $DNS_IP" > "$CONF/resolv.conf"
}

# The kubelet wants its root cgroup in every hierarchy, name=systemd included.
make_cgroups() {
  local mount file
  for mount in $(cgroup_mounts); do
    mkdir -p "$mount/$CLUSTER_NAME"
    for file in cpuset.cpus cpuset.mems; do # version 1 starts them empty, and then no process may enter
      [ -f "$mount/$file" ] || continue
      [ -n "$(cat "$mount/$CLUSTER_NAME/$file")" ] || cat "$mount/$file" > "$mount/$CLUSTER_NAME/$file"
    done
  done
  [ "$(stat -fc %T /sys/fs/cgroup)" != cgroup2fs ] || delegate_controllers
}

# A machine with version 2 alone: controllers have to be handed down level by level.
delegate_controllers() {
  local controller
  for controller in $(< /sys/fs/cgroup/cgroup.controllers); do
    echo "+$controller" > /sys/fs/cgroup/cgroup.subtree_control
    echo "+$controller" > "/sys/fs/cgroup/$CLUSTER_NAME/cgroup.subtree_control"
  done
}

start_containerd() {
  local root=$CLUSTER_STATE/pause
  start containerd containerd -c "$CONF/containerd.toml"
  install -D -m 755 "$BIN/pause" "$root/pause"
  "$HERE/../../scripts/images/archive.sh" -u 65535:65535 localhost/pause:1 "$root" "$CLUSTER_STATE/pause.tar" /pause
  wait_for containerd 30 in_node ctr --address "$SOCKET" version
  "$HERE/import.sh" "$CLUSTER_STATE/pause.tar"
}

start_kubelet() {
  start kubelet "$BIN/kubeling" kubelet --config="$CONF/kubelet.yaml" --kubeconfig="$PKI/kubelet.kubeconfig" \
    --root-dir="$CLUSTER_STATE/kubelet" --hostname-override="$NODE" --node-ip="$NODE_IP" --cert-dir="$RUN"
  start proxy "$BIN/kubeling" kube-proxy --config="$CONF/proxy.yaml"
}

start_dns() {
  kubectl apply --server-side -f "$CONF/dns.yaml" > /dev/null
  start dns "$BIN/kubeling-dns" -conf "$CONF/Corefile"
}

node_is_ready() {
  get_api "/api/v1/nodes/$NODE" | jq -e '.status.conditions[] | select(.type == "Ready").status == "True"'
}
