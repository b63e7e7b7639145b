#!/bin/bash
# up.sh: boots the cluster CLUSTER_NAME and returns when its node is Ready. Run again, it restarts whatever has died.
# With CLUSTER=existing it only checks that the cluster answers.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/env.sh"
if [ "$CLUSTER" = existing ]; then
  kubectl get --raw /readyz > /dev/null
  echo "using the cluster of the context $(kubectl config current-context)"
  exit 0
fi
for part in lib teardown boot/pki boot/process boot/namespaces boot/control-plane boot/node; do
  # shellcheck source=/dev/null
  . "$here/$part.sh"
done

started_ms=$(date +%s%3N)
lap() {
  local ms=$(($(date +%s%3N) - started_ms))
  printf '%3d.%01d s  %s\n' $((ms / 1000)) $((ms % 1000 / 100)) "$*"
}

check_machine() {
  [ "$(id -u)" = 0 ] || die "needs root: it makes namespaces, cgroups and a network link"
  local command
  for command in containerd ctr runc ip nft jq openssl curl findmnt nsenter; do
    command -v "$command" > /dev/null || die "no $command: run scripts/setup.sh"
  done
  [ -x "$CNI_PLUGINS/bridge" ] || die "no CNI plugins in $CNI_PLUGINS: run scripts/setup.sh"
  [ ${#SOCKET} -le 95 ] || die "$CLUSTER_STATE is too long for unix sockets, which end at 107 bytes: set FLAMEGATE_STATE"
}

check_machine
BIN=$("$here/build.sh")
with_lock
alive holder || remove_cluster # leftovers of a failed up, or of a machine that went down with the cluster up
mkdir -p "$RUN" "$LOG" "$CONF" "$CLUSTER_STATE"/{etcd,kubelet,containerd,pod-logs}
ln -sfn "$BIN" "$CLUSTER_STATE/bin"
make_pki
make_namespaces
write_node_config
make_cgroups
lap "certificates and namespaces"
start_api_server
start_containerd # while the API server comes up
lap "containerd"
wait_for apiserver 120 get_api /readyz
lap "API server"
start_controllers
start_kubelet
start_dns
wait_for kubelet 60 node_is_ready
lap "node Ready"
wait_for dns 30 curl -sf --max-time 2 "http://$NODE_IP:8181/ready"
wait_for controller-manager 60 get_api /api/v1/namespaces/default/serviceaccounts/default
for name in etcd apiserver controller-manager scheduler containerd kubelet proxy; do
  alive "$name" || give_up "$name" "has died"
done
lap "cluster $CLUSTER_NAME is up: KUBECONFIG=$KUBECONFIG"
