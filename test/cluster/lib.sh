# shellcheck shell=bash disable=SC2034
# What up.sh, down.sh, import.sh and smoke.sh share: the names of one cluster's parts, and its processes. Source env.sh before.

[ "$CLUSTER" = own ] || { echo "error: with CLUSTER=existing the cluster is yours: nothing to do here" >&2; exit 1; }

STATE_ROOT=$(dirname "$CLUSTER_STATE")
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PKI=$CLUSTER_STATE/pki   # keys and certificates
CONF=$CLUSTER_STATE/conf # templates of conf/, filled in
RUN=$CLUSTER_STATE/run   # pid files, sockets
LOG=$CLUSTER_STATE/log   # one file per process
SOCKET=$RUN/containerd.sock
NODE=$CLUSTER_NAME-node
RUNC=$(command -v runc || true)
CNI_PLUGINS=/usr/lib/cni

# Three /24 networks per cluster: link to the machine, pods, services. The first two octets come from the name, so that
# several clusters can live side by side.
default_net() {
  case $CLUSTER_NAME in
    flamegate-demo) echo 10.231 ;;
    flamegate-test) echo 10.232 ;;
    *) echo "10.$((233 + $(cksum <<< "$CLUSTER_NAME" | cut -d' ' -f1) % 20))" ;;
  esac
}
NET=${CLUSTER_NET:-$(default_net)}
HOST_IP=$NET.0.1
NODE_IP=$NET.0.2
POD_CIDR=$NET.1.0/24
SERVICE_CIDR=$NET.2.0/24
API_SERVICE_IP=$NET.2.1
DNS_IP=$NET.2.10
MADE_DIRECTORIES=$STATE_ROOT/made-directories # shared by the clusters of this machine
VETH=${CLUSTER_VETH:-fg${NET//./-}-} # ${VETH}0 on the machine, ${VETH}1 in the node; at most 14 characters

die() { echo "error: $*" >&2; exit 1; }
netns_of() { readlink "/proc/$1/ns/net" 2>/dev/null || true; }

# The network namespace that this boot of the machine knows as the node's; empty when there is none.
recorded_netns() {
  [ "$(cat "$RUN/boot-id" 2>/dev/null)" = "$(cat /proc/sys/kernel/random/boot_id)" ] || return 0
  cat "$RUN/netns" 2>/dev/null || true
}

# alive NAME: the process of that pid file lives in the node's network namespace; a reused pid does not.
alive() {
  local netns
  netns=$(recorded_netns)
  [ -n "$netns" ] && [ -s "$RUN/$1.pid" ] && [ "$(netns_of "$(cat "$RUN/$1.pid")")" = "$netns" ]
}

# in_node COMMAND...: inside the node's network and mount namespaces; the working directory becomes /
in_node() { nsenter --target "$(cat "$RUN/holder.pid")" --net --mount -- "$@"; }

# mount points of every cgroup hierarchy, version 1 and 2
cgroup_mounts() { findmnt -rno TARGET -t cgroup,cgroup2 | sort -u; }

# with_lock: one up or down at a time, over all clusters of the machine: they share MADE_DIRECTORIES. What is locked is a
# directory that no down.sh removes. File descriptor 9 must be closed in whatever outlives the script.
with_lock() {
  mkdir -p "$STATE_ROOT"
  exec 9< "$(dirname "$STATE_ROOT")"
  flock --wait 120 9 || die "another up.sh or down.sh has been running for two minutes"
}
