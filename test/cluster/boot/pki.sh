# shellcheck shell=bash
# Certificate authorities, certificates and kubeconfigs of one cluster. Ten years, readable by root only: for tests.

make_key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"; }

make_ca() {
  make_key "$1"
  openssl req -x509 -new -key "$1.key" -subj "/CN=$1" -days 3650 -out "$1.crt" -addext keyUsage=critical,keyCertSign,digitalSignature,cRLSign
}

# make_certificate NAME SUBJECT USAGE [SUBJECT_ALT_NAMES [CA]]
make_certificate() {
  local name=$1 subject=$2 usage=$3 names=${4:-} ca=${5:-ca}
  make_key "$name"
  openssl req -new -key "$name.key" -subj "$subject" -out "$name.csr"
  printf 'keyUsage=critical,digitalSignature\nextendedKeyUsage=%s\n%s\n' "$usage" "${names:+subjectAltName=$names}" > "$name.ext"
  openssl x509 -req -in "$name.csr" -CA "$ca.crt" -CAkey "$ca.key" -CAcreateserial -days 3650 -extfile "$name.ext" -out "$name.crt" 2> /dev/null
  rm "$name.csr" "$name.ext"
}

# make_user NAME SUBJECT: a client certificate and a kubeconfig with it
make_user() {
  make_certificate "$1" "$2" clientAuth
  cat > "$1.kubeconfig" <<Y
apiVersion: v1
kind: Config
clusters: [{name: $CLUSTER_NAME, cluster: {server: "https://$NODE_IP:6443", certificate-authority-data: $(base64 -w0 ca.crt)}}]
users: [{name: $1, user: {client-certificate-data: $(base64 -w0 "$1.crt"), client-key-data: $(base64 -w0 "$1.key")}}]
contexts: [{name: $CLUSTER_NAME, context: {cluster: $CLUSTER_NAME, user: $1}}]
current-context: $CLUSTER_NAME
Y
}

make_pki() (
  set -e
  umask 077
  mkdir -p "$PKI"
  cd "$PKI"
  [ ! -e complete ] || exit 0
  make_ca ca
  make_ca front-proxy-ca
  make_key sa
  openssl ec -in sa.key -pubout -out sa.pub 2> /dev/null
  local service=kubernetes.default.svc
  make_certificate apiserver /CN=kube-apiserver serverAuth \
    "DNS:kubernetes,DNS:kubernetes.default,DNS:$service,DNS:$service.cluster.local,DNS:localhost,IP:127.0.0.1,IP:$NODE_IP,IP:$API_SERVICE_IP"
  make_certificate apiserver-kubelet /O=system:masters/CN=kube-apiserver-kubelet-client clientAuth
  make_certificate front-proxy /CN=front-proxy-client clientAuth "" front-proxy-ca
  make_certificate kubelet-server "/O=system:nodes/CN=system:node:$NODE" serverAuth "DNS:$NODE,IP:$NODE_IP,IP:127.0.0.1"
  make_user admin /O=system:masters/CN=admin
  make_user controller-manager /CN=system:kube-controller-manager
  make_user scheduler /CN=system:kube-scheduler
  make_user proxy /CN=system:kube-proxy
  make_user kubelet "/O=system:nodes/CN=system:node:$NODE"
  make_user dns /CN=system:coredns
  cp admin.kubeconfig "$KUBECONFIG"
  touch complete
)
