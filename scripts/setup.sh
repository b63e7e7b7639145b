#!/bin/bash
# setup.sh: installs what Flamegate's build, tests and demo need on Debian 12. Says nothing and changes nothing when all is there.
# It starts no service: the test cluster runs its own containerd, and tests their own Prometheus.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

packages=(
  make jq curl openssl iproute2 util-linux                             # scripts
  containerd runc containernetworking-plugins nftables busybox-static  # the test cluster's node
  clang llvm libbpf-dev libelf-dev zlib1g-dev g++ binutils             # the BPF program, the addon
  bpftool                                                              # tests that nothing of ours is left in the kernel
  maven                                                                # the sample service
  clang-format shellcheck                                              # make verify
  tcpdump                                                              # the judge of make bench-requests
  chromium                                                             # tests of the flame graph page
  zsh fish                                                             # tests of the completion of the command line
  prometheus prometheus-alertmanager                                   # tests of metrics and alerts, promtool for make verify
)
[ -n "$("$here/jdk-home.sh" --find 17)" ] || packages+=(openjdk-17-jdk-headless)
# without a JDK 25 on the machine, jdk-home.sh gets one by pip
[ -n "$("$here/jdk-home.sh" --find 25)" ] || packages+=(python3-pip)

die() { echo "error: $*" >&2; exit 1; }

missing_packages() {
  local installed
  installed=$(dpkg-query --show --showformat '${db:Status-Status} ${Package}\n' 2> /dev/null | sed -n 's/^installed //p' | sort)
  comm -23 <(printf '%s\n' "${packages[@]}" | sort) <(echo "$installed")
}

for tool in go npm; do # Debian's are too old
  command -v "$tool" > /dev/null || die "no $tool on PATH: install Go 1.26 or newer (go.dev/dl) and Node.js with npm (nodejs.org)"
done
command -v dpkg-query > /dev/null || die "this is not Debian: install by hand what $here/setup.sh lists"
# Numbers of tracepoints are nowhere else. Init systems mount it; a bare machine may have none.
if ! mountpoint -q /sys/kernel/tracing; then
  mount -t tracefs tracefs /sys/kernel/tracing || echo "note: no tracefs at /sys/kernel/tracing, which spec.io needs" >&2
fi
mapfile -t missing < <(missing_packages)
[ ${#missing[@]} -gt 0 ] || exit 0

. /etc/os-release
[ "${ID:-} ${VERSION_ID:-}" = "debian 12" ] || die "${PRETTY_NAME:-this system} is not Debian 12: install by hand: ${missing[*]}"
[ "$(id -u)" = 0 ] || die "needs root to install: ${missing[*]}"
echo "installing ${missing[*]}"
if [ ! -e /usr/sbin/policy-rc.d ]; then # Debian starts what it installs, unless this says no
  printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
  chmod +x /usr/sbin/policy-rc.d
  trap 'rm -f /usr/sbin/policy-rc.d' EXIT
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -y -q --no-install-recommends "${missing[@]}"
