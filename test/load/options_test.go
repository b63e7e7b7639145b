package main

import (
	"errors"
	"strings"
	"testing"
)

func TestOnlyLoopbackAndTestClustersAreLoaded(t *testing.T) {
	for _, allowed := range []string{"127.0.0.1:8080", "[::1]:80", "10.231.0.9:80", "10.239.255.255:8080"} {
		if err := checkAddress(allowed); err != nil {
			t.Errorf("%s: %v", allowed, err)
		}
	}
	refused := []string{
		"10.230.0.1:80", "10.240.0.1:80", "11.235.0.1:80", "8.8.8.8:53", "192.168.0.1:80", "[::ffff:8.8.8.8]:80",
		"[2001:db8::1]:80", "0.0.0.0:80", "localhost:80", "orders.shop:80", "127.0.0.1", "127.0.0.1:0", "",
	}
	for _, address := range refused {
		if err := checkAddress(address); err == nil {
			t.Errorf("%q is allowed", address)
		}
	}
}

func TestACommandLineThatMakesNoSenseIsRefusedWithItsReason(t *testing.T) {
	pod := "-group=a=127.0.0.1:1"
	cases := []struct {
		args []string
		want string
	}{
		{[]string{}, "0 pods"},
		{[]string{pod, "-rate=0"}, "-rate is 0"},
		{[]string{pod, "-rate=NaN"}, "-rate is NaN"},
		{[]string{pod, "-duration=-1s"}, "-duration is -1s"},
		{[]string{pod, "-path-ids=0"}, "-path-ids is 0"},
		{[]string{pod, "-rate=10000", "-duration=24h"}, "that makes 864000000 requests"},
		{[]string{pod, pod}, "given twice"},
		{[]string{pod, "-group=b=127.0.0.1:1"}, "given twice"},
		{[]string{"-group=127.0.0.1:1"}, "want name="},
		{[]string{"-targets=10.0.0.1:80"}, "neither loopback nor"},
		{[]string{pod, "more"}, `"more" is not an option`},
	}
	for _, c := range cases {
		_, err := parseOptions(c.args)
		if !errors.As(err, new(usageError)) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: got %v, want %q", c.args, err, c.want)
		}
	}
}
