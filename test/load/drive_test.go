package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// pod answers and remembers the paths it was asked for.
type pod struct {
	*httptest.Server
	mutex sync.Mutex
	paths map[string]int
}

func startPod(t *testing.T, status int) *pod {
	p := &pod{paths: map[string]int{}}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mutex.Lock()
		p.paths[r.URL.Path]++
		p.mutex.Unlock()
		w.WriteHeader(status)
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *pod) address() string { return strings.TrimPrefix(p.URL, "http://") }

func TestEveryPodGetsTheSameRateAndEveryIDEquallyOften(t *testing.T) {
	pods := []*pod{startPod(t, 200), startPod(t, 200), startPod(t, 503)}
	o := options{rate: 100, duration: time.Second, pathIDs: 20, groups: []group{
		{name: "stable", pods: []string{pods[0].address(), pods[1].address()}},
		{name: "canary", pods: []string{pods[2].address()}},
	}}

	s, err := drive(o, make(chan os.Signal), io.Discard)
	if err != nil {
		t.Fatal(err)
	}

	stable, canary := s.Groups["stable"], s.Groups["canary"]
	if len(s.Groups) != 2 || stable.Requests != 200 || canary.Requests != 100 {
		t.Errorf("groups: %+v", s.Groups)
	}
	if stable.Errors != 0 || canary.Errors != 100 || canary.Statuses[503] != 100 {
		t.Errorf("errors: %+v", s.Groups)
	}
	for _, p := range pods {
		for path, times := range p.paths {
			if times != 5 {
				t.Errorf("%s was asked for %d times, want 5", path, times)
			}
		}
	}
}

func TestASignalEndsTheLoadWithASummary(t *testing.T) {
	p := startPod(t, 200)
	o := options{rate: 50, duration: time.Hour, pathIDs: 20, groups: []group{{name: "all", pods: []string{p.address()}}}}
	stop := make(chan os.Signal, 1)
	stop <- syscall.SIGTERM

	s, err := drive(o, stop, io.Discard)

	if err != nil || s.StoppedBy != "signal" || s.Seconds > 5 {
		t.Errorf("got %+v, %v", s, err)
	}
}

func TestAQuantileIsTheNearestRank(t *testing.T) {
	values := []float64{1, 2, 3, 4}
	for q, want := range map[float64]float64{0: 1, 0.5: 2, 0.75: 3, 0.99: 4, 1: 4} {
		if got := quantile(values, q); got != want {
			t.Errorf("quantile %v is %v, want %v", q, got, want)
		}
	}
}
