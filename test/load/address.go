package main

import (
	"fmt"
	"net/netip"
)

// The networks of the test clusters, one /16 each. Nothing else in 10.0.0.0/8 is ours to load.
const (
	firstClusterNet = 231
	lastClusterNet  = 239
)

// checkAddress refuses whatever is not this machine or a pod of a test cluster. Names are refused too: what one
// resolves to could change between the check and the call.
func checkAddress(hostPort string) error {
	address, err := netip.ParseAddrPort(hostPort)
	if err != nil {
		return fmt.Errorf("%q is not an IP address and a port", hostPort)
	}
	ip := address.Addr().Unmap()
	if address.Port() == 0 || !(ip.IsLoopback() || inTestCluster(ip)) {
		return fmt.Errorf("%q is neither loopback nor in 10.%d.0.0/16 to 10.%d.0.0/16", hostPort, firstClusterNet, lastClusterNet)
	}
	return nil
}

func inTestCluster(ip netip.Addr) bool {
	if !ip.Is4() {
		return false
	}
	bytes := ip.As4()
	return bytes[0] == 10 && bytes[1] >= firstClusterNet && bytes[1] <= lastClusterNet
}
