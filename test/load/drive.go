package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

const (
	requestTimeout = 10 * time.Second
	progressEvery  = 10 * time.Second

	// Requests at one time, for each pod: 100 a second that take 300 ms each need 30; at the bound the rate drops.
	workersPerPod = 64
)

// drive runs the load until its time is over or stop says so, with a line of progress every 10 seconds.
func drive(o options, stop <-chan os.Signal, progress io.Writer) (summary, error) {
	attacker := newAttacker(o.podCount())
	defer attacker.Stop()
	recorder := newRecorder(o.groups)
	started := time.Now()
	results := attacker.Attack(newTargeter(o), rateOf(o), o.duration, "orders")

	ticker := time.NewTicker(progressEvery)
	defer ticker.Stop()
	stopped := false
	for {
		select {
		case result, more := <-results:
			if !more {
				return recorder.summary(o, time.Since(started), stopped), nil
			}
			if err := record(recorder, result); err != nil {
				return summary{}, err
			}
		case <-ticker.C:
			fmt.Fprintln(progress, recorder.progressLine(time.Since(started)))
		case <-stop:
			stopped = true
			attacker.Stop() // what is under way still answers, then results is closed
		}
	}
}

func newAttacker(pods int) *vegeta.Attacker {
	return vegeta.NewAttacker(
		vegeta.Workers(uint64(pods)),
		vegeta.MaxWorkers(uint64(pods*workersPerPod)),
		vegeta.Connections(workersPerPod),
		vegeta.MaxConnections(workersPerPod),
		vegeta.KeepAlive(true),
		vegeta.HTTP2(false),
		vegeta.Timeout(requestTimeout),
		vegeta.MaxBody(0), // the body is read, but not kept
		// A redirect or a proxy of the environment could lead the load to somebody else's address.
		vegeta.Redirects(vegeta.NoFollow),
		vegeta.Proxy(func(*http.Request) (*url.URL, error) { return nil, nil }),
	)
}

// rateOf spreads the requests of all pods evenly; it counts by the minute, because a rate may be a fraction.
func rateOf(o options) vegeta.Rate {
	return vegeta.Rate{Freq: int(o.rate*60+0.5) * o.podCount(), Per: time.Minute}
}

func record(recorder *recorder, result *vegeta.Result) error {
	address, err := url.Parse(result.URL)
	if err != nil {
		return fmt.Errorf("result of %q: %w", result.URL, err)
	}
	recorder.add(address.Host, outcome{latency: result.Latency, status: result.Code, err: result.Error})
	return nil
}
