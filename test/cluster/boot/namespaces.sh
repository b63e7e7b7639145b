# shellcheck shell=bash
# "The node": a network and a mount namespace that one sleeping process, the holder, keeps alive. They have no name anywhere
# and go with their last process, and with them every mount, the bridge and the pods' networks.

# These paths are compiled into containerd, CNI and the kubelet: the node sees its own copy of each.
HIDDEN=(/run/containerd /var/lib/cni /var/lib/kubelet /var/log/containers)

# The kubelet writes these machine-wide sysctls and cannot be told not to. It gets plain files instead.
KUBELET_SYSCTLS=(vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1
  kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000)

make_namespaces() {
  ! alive holder || return 0
  make_mount_points
  start_holder
  link_to_machine
  shield_sysctls
}

# Directories that the machine did not have are noted, innermost first: the last down.sh on the machine removes them.
make_mount_points() {
  local directory parent missing
  for directory in "${HIDDEN[@]}"; do
    missing=()
    parent=$directory
    while ! [ -d "$parent" ]; do
      missing+=("$parent")
      parent=$(dirname "$parent")
    done
    [ ${#missing[@]} = 0 ] || printf '%s\n' "${missing[@]}" >> "$MADE_DIRECTORIES"
    mkdir -p "$directory" "$RUN/hidden$directory"
  done
}

start_holder() {
  local i
  cat /proc/sys/kernel/random/boot_id > "$RUN/boot-id"
  # rshared again inside, or pods would not see volumes that are mounted later
  # shellcheck disable=SC2016
  setsid unshare --net --mount --propagation private sh -c '
    run=$1; shift
    readlink /proc/self/ns/net > "$run/netns"
    mount --make-rshared /
    for directory; do mount --bind "$run/hidden$directory" "$directory"; done
    : > "$run/holder-ready"
    exec sleep infinity' holder "$RUN" "${HIDDEN[@]}" < /dev/null > "$LOG/holder.log" 2>&1 9>&- &
  echo $! > "$RUN/holder.pid"
  for ((i = 0; i < 250; i++)); do
    [ ! -e "$RUN/holder-ready" ] || return 0
    sleep .02
  done
  give_up holder "did not make its namespaces"
}

link_to_machine() {
  [ ! -e "/sys/class/net/${VETH}0" ] || die "interface ${VETH}0 exists: another cluster uses $NET; set CLUSTER_NET to two free octets"
  ip link add "${VETH}0" type veth peer name "${VETH}1" netns "$(cat "$RUN/holder.pid")"
  echo "${VETH}0" > "$RUN/veth"
  ip addr add "$HOST_IP/30" dev "${VETH}0"
  ip link set "${VETH}0" up
  in_node ip link set lo up
  in_node ip addr add "$NODE_IP/30" dev "${VETH}1"
  in_node ip link set "${VETH}1" up
  in_node ip route add default via "$HOST_IP"
  ip route add "$POD_CIDR" via "$NODE_IP"
  ip route add "$SERVICE_CIDR" via "$NODE_IP"
  in_node sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.route_localnet=1
  in_node sysctl -qw net.bridge.bridge-nf-call-iptables=1 2> /dev/null || true # absent without br_netfilter
}

shield_sysctls() {
  local setting file
  mkdir -p "$CONF/sysctl"
  for setting in "${KUBELET_SYSCTLS[@]}"; do
    file=$CONF/sysctl/$(tr / _ <<< "${setting%=*}")
    echo "${setting#*=}" > "$file"
    in_node mount --bind "$file" "/proc/sys/${setting%=*}"
  done
}
