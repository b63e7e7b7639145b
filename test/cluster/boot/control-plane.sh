# shellcheck shell=bash
# etcd, API server, controller manager and scheduler.

ETCD=http://127.0.0.1:2379

start_api_server() {
  start etcd "$BIN/kubeling" etcd --data-dir "$CLUSTER_STATE/etcd" --log-level warn \
    --listen-client-urls "$ETCD" --advertise-client-urls "$ETCD" --listen-peer-urls http://127.0.0.1:2380 \
    --unsafe-no-fsync # the data ends with the cluster
  start apiserver "$BIN/kubeling" kube-apiserver --etcd-servers="$ETCD" \
    --bind-address=0.0.0.0 --secure-port=6443 --cert-dir="$RUN" \
    --advertise-address="$NODE_IP" --endpoint-reconciler-type=lease \
    --tls-cert-file="$PKI/apiserver.crt" --tls-private-key-file="$PKI/apiserver.key" --client-ca-file="$PKI/ca.crt" \
    --kubelet-client-certificate="$PKI/apiserver-kubelet.crt" --kubelet-client-key="$PKI/apiserver-kubelet.key" \
    --kubelet-certificate-authority="$PKI/ca.crt" --kubelet-preferred-address-types=InternalIP \
    --service-account-issuer=https://kubernetes.default.svc.cluster.local \
    --service-account-key-file="$PKI/sa.pub" --service-account-signing-key-file="$PKI/sa.key" \
    --requestheader-client-ca-file="$PKI/front-proxy-ca.crt" --requestheader-allowed-names=front-proxy-client \
    --requestheader-username-headers=X-Remote-User --requestheader-group-headers=X-Remote-Group \
    --requestheader-extra-headers-prefix=X-Remote-Extra- \
    --proxy-client-cert-file="$PKI/front-proxy.crt" --proxy-client-key-file="$PKI/front-proxy.key" \
    --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction --allow-privileged=true \
    --service-cluster-ip-range="$SERVICE_CIDR" \
    --feature-gates=MutatingAdmissionPolicy=true --runtime-config=admissionregistration.k8s.io/v1beta1=true
}

# get_api PATH: as cluster admin. For polling: kubectl would use ten times the CPU that the starting components need
get_api() {
  curl -sf --max-time 2 --cacert "$PKI/ca.crt" --cert "$PKI/admin.crt" --key "$PKI/admin.key" "https://$NODE_IP:6443$1"
}

# start_component NAME COMMAND FLAGS...: a component that speaks to the API server as the user NAME
start_component() {
  local name=$1 command=$2 config=$PKI/$1.kubeconfig
  shift 2
  start "$name" "$BIN/kubeling" "$command" --kubeconfig="$config" --authentication-kubeconfig="$config" \
    --authorization-kubeconfig="$config" --leader-elect=false --bind-address=127.0.0.1 --cert-dir="$RUN" "$@"
}

start_controllers() {
  # The controller manager makes a client per controller: at its default request rate a fresh cluster waits 5 s for the
  # first service account.
  start_component controller-manager kube-controller-manager --kube-api-qps=500 --kube-api-burst=1000 \
    --use-service-account-credentials --service-account-private-key-file="$PKI/sa.key" --root-ca-file="$PKI/ca.crt" \
    --cluster-signing-cert-file="$PKI/ca.crt" --cluster-signing-key-file="$PKI/ca.key" \
    --requestheader-client-ca-file="$PKI/front-proxy-ca.crt" --flex-volume-plugin-dir="$CLUSTER_STATE/kubelet/volume-plugins" \
    --allocate-node-cidrs --cluster-cidr="$POD_CIDR" --node-cidr-mask-size=24 --service-cluster-ip-range="$SERVICE_CIDR"
  start_component scheduler kube-scheduler
}
