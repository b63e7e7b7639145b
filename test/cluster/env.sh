# shellcheck shell=bash
# The one door to the cluster, for the demo, the tests and the scripts beside this file. Source it; then there are
#   kubectl ...       as cluster admin
#   KUBECONFIG        for every other client
#   CONTROLLER_IMAGE AGENT_IMAGE ORDERS_JDK17_IMAGE ORDERS_JDK25_IMAGE
#
# CLUSTER    IMAGE_PREFIX  → the cluster
# unset      any           → the one that up.sh boots as CLUSTER_NAME; a KUBECONFIG that happens to be set is replaced
# existing   set           → the user's: kubectl from PATH with its current context; nothing is booted, imported or removed
# otherwise                → refused

case ${CLUSTER:=own} in
  own)
    export CLUSTER_NAME=${CLUSTER_NAME:-flamegate-demo} # names the state directory, the cgroup and the node
    export CLUSTER_STATE=${FLAMEGATE_STATE:-/var/tmp/flamegate}/$CLUSTER_NAME
    export KUBECONFIG=$CLUSTER_STATE/kubeconfig
    kubectl() {
      [ -x "$CLUSTER_STATE/bin/kubectl" ] || { echo "error: cluster $CLUSTER_NAME is not up" >&2; return 1; }
      "$CLUSTER_STATE/bin/kubectl" "$@"
    }
    ;;
  existing)
    : "${IMAGE_PREFIX:?CLUSTER=existing needs IMAGE_PREFIX=registry/prefix, where the cluster can pull the images}"
    kubectl() { command kubectl "$@"; }
    ;;
  *)
    echo "error: CLUSTER=$CLUSTER: either unset, or 'existing' for the cluster of kubectl's current context" >&2
    return 1
    ;;
esac

export CLUSTER IMAGE_PREFIX=${IMAGE_PREFIX:-localhost}
export CONTROLLER_IMAGE=$IMAGE_PREFIX/flamegate-controller:dev
export AGENT_IMAGE=$IMAGE_PREFIX/flamegate-agent:dev
export ORDERS_JDK17_IMAGE=$IMAGE_PREFIX/flamegate-orders:jdk17
export ORDERS_JDK25_IMAGE=$IMAGE_PREFIX/flamegate-orders:jdk25
