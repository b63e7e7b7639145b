package main

import (
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Every latency is kept until the end (8 bytes each), so their number has a bound: 64 MB.
const maxRequests = 8_000_000

const maxPods = 256

// options is a checked command line.
type options struct {
	rate     float64 // requests a second for each pod
	duration time.Duration
	groups   []group
	pathIDs  int
	seed     uint64
	out      string
}

// group is pods that are reported together, for example those of a canary.
type group struct {
	name string
	pods []string // host:port
}

// usageError says what is wrong with the command line.
type usageError struct{ error }

func parseOptions(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("flamegate-load", flag.ContinueOnError)
	flags.Float64Var(&o.rate, "rate", 20, "requests a second for each pod")
	flags.DurationVar(&o.duration, "duration", 2*time.Minute, "how long; SIGTERM ends it early")
	flags.IntVar(&o.pathIDs, "path-ids", 1000, "ask for the orders 0 to this, not including it")
	flags.Uint64Var(&o.seed, "seed", 1, "decides the order of the ids")
	flags.StringVar(&o.out, "out", "", "write the summary to this file too")
	flags.Func("targets", "host:port,host:port,... as one group named all", func(value string) error {
		return o.addGroup("all", value)
	})
	flags.Func("group", "name=host:port,host:port,...; may be given several times", func(value string) error {
		name, pods, _ := strings.Cut(value, "=")
		return o.addGroup(name, pods)
	})
	if err := flags.Parse(args); err != nil {
		return options{}, asUsageError(err)
	}
	if flags.NArg() > 0 {
		return options{}, usageError{fmt.Errorf("%q is not an option", flags.Arg(0))}
	}
	return o, o.check()
}

func asUsageError(err error) error {
	if errors.Is(err, flag.ErrHelp) {
		return err
	}
	return usageError{err}
}

func (o *options) addGroup(name, pods string) error {
	if name == "" || pods == "" {
		return errors.New("want name=host:port,host:port,...")
	}
	for _, g := range o.groups {
		if g.name == name {
			return fmt.Errorf("the group %q is given twice", name)
		}
	}
	o.groups = append(o.groups, group{name: name})
	for _, pod := range strings.Split(pods, ",") {
		if err := o.addPod(pod); err != nil {
			return err
		}
	}
	return nil
}

// addPod adds to the newest group.
func (o *options) addPod(pod string) error {
	if err := checkAddress(pod); err != nil {
		return err
	}
	for _, g := range o.groups {
		if slices.Contains(g.pods, pod) {
			return fmt.Errorf("the pod %q is given twice", pod)
		}
	}
	newest := &o.groups[len(o.groups)-1]
	newest.pods = append(newest.pods, pod)
	return nil
}

func (o *options) podCount() int {
	count := 0
	for _, g := range o.groups {
		count += len(g.pods)
	}
	return count
}

func (o *options) check() error {
	pods := o.podCount()
	requests := o.rate * float64(pods) * o.duration.Seconds()
	switch {
	case pods == 0 || pods > maxPods:
		return usageError{fmt.Errorf("got %d pods in -targets and -group, want 1 to %d", pods, maxPods)}
	case !(o.rate > 0 && o.rate <= 10_000):
		return usageError{fmt.Errorf("-rate is %v, want more than 0, up to 10000", o.rate)}
	case o.duration <= 0:
		return usageError{fmt.Errorf("-duration is %v, want more than 0", o.duration)}
	case o.pathIDs < 1 || o.pathIDs > 1_000_000:
		return usageError{fmt.Errorf("-path-ids is %d, want 1 to 1000000", o.pathIDs)}
	case requests > maxRequests:
		return usageError{fmt.Errorf("that makes %.0f requests, want up to %d", requests, maxRequests)}
	}
	return nil
}
