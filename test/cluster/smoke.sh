#!/bin/bash
# smoke.sh: checks of a running cluster: API behaviour, pods, service, DNS, logs, exec, port-forward, an observer's rights.
# Works in a namespace of its own and leaves nothing behind.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/env.sh"
. "$here/lib.sh"
. "$here/../../scripts/images/rootfs.sh"

work=$(mktemp -d)
forward=
cleanup() {
  [ -z "$forward" ] || kill "$forward" 2> /dev/null || true
  rm -rf "$work"
  kubectl delete -f "$here/smoke/api.yaml" --ignore-not-found > /dev/null 2>&1 || true # the namespace takes the rest along
}
trap cleanup EXIT

# check NAME PATTERN COMMAND...: the command's output comes to hold the pattern within 10 s
check() {
  local name=$1 pattern=$2 deadline=$(($(date +%s) + 10)) output
  shift 2
  until output=$("$@" 2>&1 || true) && grep -q -- "$pattern" <<< "$output"; do
    [ "$(date +%s)" -lt "$deadline" ] || { echo "FAIL $name: expected $pattern, got: $output"; exit 1; }
    sleep .1
  done
  echo "ok   $name"
}

import_busybox() {
  local root=$work/busybox busybox applet
  busybox=$(command -v busybox)
  base_files "$root"
  install -D -m 755 "$busybox" "$root/bin/busybox"
  copy_libraries "$root" "$busybox" 2> /dev/null # none when it is static
  for applet in $("$busybox" --list); do [ -e "$root/bin/$applet" ] || ln -s busybox "$root/bin/$applet"; done
  "$here/../../scripts/images/archive.sh" localhost/busybox:1 "$root" "$work/busybox.tar" /bin/sh
  "$here/import.sh" "$work/busybox.tar"
}

sampling() { # HZ
  kubectl apply --server-side -f - <<< "{apiVersion: smoke.example.org/v1, kind: Sampling, metadata: {name: s, namespace: smoke}, spec: {hz: $1, maxHz: 99}}"
}
review_token() { # AUDIENCE
  kubectl create -o 'jsonpath={.status.authenticated}{.status.error}' -f - \
    <<< "{apiVersion: authentication.k8s.io/v1, kind: TokenReview, spec: {token: \"$token\", audiences: [$1]}}"
}
create_pod_dry() {
  kubectl create --dry-run=server -o 'jsonpath={.metadata.annotations}' -f - \
    <<< '{apiVersion: v1, kind: Pod, metadata: {name: dry, namespace: smoke}, spec: {containers: [{name: c, image: x}]}}'
}
in_pod() { kubectl exec -n smoke "$@"; }
write_log() { in_pod "$pod" -- sh -c 'echo to-the-log > /proc/1/fd/1'; }
pod_cgroup() {
  local uid
  uid=$(kubectl get pod -n smoke "$pod" -o 'jsonpath={.metadata.uid}')
  find "$(findmnt -rno TARGET -t cgroup2 | head -1)/$CLUSTER_NAME" -type d -name "pod$uid"
}

import_busybox
kubectl apply --server-side -f "$here/smoke/api.yaml" > /dev/null
kubectl wait --for=condition=Established crd/samplings.smoke.example.org --timeout=20s > /dev/null
check "custom resource with CEL rule: valid" serverside-applied sampling 99
check "custom resource with CEL rule: invalid" "hz above maxHz" sampling 100
check "service account" serviceaccount/default kubectl get serviceaccount -n smoke default -o name
token=$(kubectl create token default -n smoke --audience=smoke --duration=10m)
check "TokenReview, right audience" true review_token smoke
check "TokenReview, wrong audience" invalid review_token other
check "MutatingAdmissionPolicy" example.org/marked create_pod_dry
kubectl apply --server-side -f "$here/smoke/web.yaml" -f "$here/smoke/observer.yaml" > /dev/null
kubectl rollout status -n smoke deployment/web --timeout=60s > /dev/null
kubectl wait -n smoke --for=condition=Ready pod/observer --timeout=60s > /dev/null
echo "ok   pods ready"
pod=$(kubectl get pod -n smoke -l app=web -o 'jsonpath={.items[0].metadata.name}')
ip=$(kubectl get service -n smoke web -o 'jsonpath={.spec.clusterIP}')
check "service from the machine" pong curl -sf -m 2 "http://$ip/"
check "service by name from a pod" pong in_pod "$pod" -- timeout 5 wget -qO- http://web.smoke
check "search path" pong in_pod "$pod" -- timeout 5 wget -qO- http://web
check "exec" "$pod" in_pod "$pod" -- hostname
write_log
check "logs" to-the-log kubectl logs -n smoke "$pod"
kubectl port-forward -n smoke "pod/$pod" :8080 > "$work/forward" 2>&1 &
forward=$!
check "port-forward is up" Forwarding cat "$work/forward"
check "port-forward" pong curl -sf -m 2 "http://$(sed -n 's/.* \(127.0.0.1:[0-9]*\) .*/\1/p' "$work/forward")/"
check "the pod's cgroup" "$CLUSTER_NAME/kubepods" pod_cgroup
check "observer: CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE and no other" 'CapEff:.000000c000080000' in_pod observer -- cat /proc/self/status
check "observer: no seccomp filter" 'Seccomp:.0' in_pod observer -- cat /proc/self/status
check "observer: the machine's processes" kubelet in_pod observer -- ps
check "observer: the kernel's types" vmlinux in_pod observer -- ls /sys/kernel/btf
check "observer: the pods' cgroups" kubepods in_pod observer -- find /host/cgroup -maxdepth 3 -name kubepods
