# shellcheck shell=bash
# Starting the node's processes and waiting for them.

# start NAME COMMAND...: in the node's namespaces, unless it runs already
start() {
  local name=$1 i
  shift
  ! alive "$name" || return 0
  setsid nsenter --target "$(cat "$RUN/holder.pid")" --net --mount -- "$@" < /dev/null > "$LOG/$name.log" 2>&1 9>&- &
  echo $! > "$RUN/$name.pid"
  for ((i = 0; i < 100; i++)); do
    ! alive "$name" || return 0
    sleep .02
  done
  give_up "$name" "did not start"
}

# wait_for NAME SECONDS COMMAND...: until the command succeeds, while the process NAME lives
wait_for() {
  local name=$1 deadline=$(($(date +%s) + $2))
  shift 2
  until "$@" > /dev/null 2>&1; do
    alive "$name" || give_up "$name" "has died"
    [ "$(date +%s)" -lt "$deadline" ] || give_up "$name" "did not come up in time"
    sleep .1
  done
}

give_up() {
  tail -n 15 "$LOG/$1.log" >&2
  die "$1 $2; its log is $LOG/$1.log"
}

# fill TEMPLATE DESTINATION: replaces @NAME@ by the value of the variable NAME
fill() {
  local name edits=()
  for name in CLUSTER_NAME CLUSTER_STATE RUN CONF PKI SOCKET NODE NODE_IP DNS_IP POD_CIDR RUNC CNI_PLUGINS; do
    edits+=(-e "s#@$name@#${!name}#g")
  done
  sed "${edits[@]}" "$HERE/conf/$1.in" > "$2"
}
