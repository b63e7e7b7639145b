# shellcheck shell=bash
# Removing a cluster, whatever state it is in. Source env.sh and lib.sh before; needs the lock.

# stop NAME...: at once, since their data goes as well
stop() {
  local name
  for name; do
    ! alive "$name" || kill -9 "$(cat "$RUN/$name.pid")" 2> /dev/null || true
  done
}

cgroup_pids() {
  local mount
  for mount in $(cgroup_mounts); do
    find "$mount/$CLUSTER_NAME" -name cgroup.procs -exec cat {} + 2> /dev/null || true
  done | sort -un | sed '/^0$/d'
}

# whatever lives in the node's network namespace: its components, containerd's shims, the holder
node_pids() {
  local netns process
  netns=$(recorded_netns)
  [ -n "$netns" ] || return 0
  for process in /proc/[0-9]*; do
    [ "$(netns_of "${process#/proc/}")" != "$netns" ] || echo "${process#/proc/}"
  done
}

# kill_until_none COMMAND: kills the pids that the command prints until it prints none. Thirty JVMs that are killed at once on
# two CPUs take a while to give their memory back.
kill_until_none() {
  local deadline=$((SECONDS + 60)) pids=
  while ((SECONDS < deadline)); do
    pids=$("$1")
    [ -n "$pids" ] || return 0
    # shellcheck disable=SC2086 # one word per pid
    kill -9 $pids 2> /dev/null || true
    sleep .05
  done
  # shellcheck disable=SC2086
  die "these processes do not end: "$pids
}

remove_cgroups() {
  local mount i
  for mount in $(cgroup_mounts); do
    for ((i = 0; i < 50; i++)); do
      [ -d "$mount/$CLUSTER_NAME" ] || continue 2
      find "$mount/$CLUSTER_NAME" -depth -type d -exec rmdir {} + 2> /dev/null || sleep .05
    done
    [ ! -d "$mount/$CLUSTER_NAME" ] || die "cannot remove the cgroup $mount/$CLUSTER_NAME"
  done
}

# Mount points that up.sh had to make: only while empty, and not while any process, of another cluster say, has a mount
# there: rmdir would take that mount away from it.
remove_made_directories() {
  local directory
  [ -f "$MADE_DIRECTORIES" ] || return 0
  sort -ru "$MADE_DIRECTORIES" | while read -r directory; do
    grep -qs " $directory " /proc/[0-9]*/mountinfo || rmdir "$directory" 2> /dev/null || true
    [ ! -d "$directory" ] || echo "$directory"
  done > "$MADE_DIRECTORIES.left"
  mv "$MADE_DIRECTORIES.left" "$MADE_DIRECTORIES"
  [ -s "$MADE_DIRECTORIES" ] || rm "$MADE_DIRECTORIES"
}

remove_cluster() {
  local veth
  veth=$(cat "$RUN/veth" 2> /dev/null || true)
  stop kubelet # or it would start the pods again
  kill_until_none cgroup_pids
  stop containerd proxy dns scheduler controller-manager apiserver etcd
  kill_until_none node_pids
  # mounts, pod networks and the bridge went with the namespaces; the veth pair goes by itself, but a moment later
  [ -z "$veth" ] || ip link del "$veth" 2> /dev/null || true
  remove_cgroups
  rm -rf --one-file-system "$CLUSTER_STATE"
  remove_made_directories
}
