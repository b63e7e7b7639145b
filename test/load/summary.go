package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"time"
)

// Error texts name ports, so there is no end of different ones; the first few tell the story.
const maxErrorTexts = 5

// outcome is one answer, or why there was none.
type outcome struct {
	latency time.Duration
	status  uint16 // 0: no answer
	err     string
}

func (o outcome) failed() bool { return o.status != 200 || o.err != "" }

// summary is what the command prints in the end.
type summary struct {
	Seconds    float64                 `json:"seconds"`
	RatePerPod float64                 `json:"ratePerPod"`
	StoppedBy  string                  `json:"stoppedBy"` // duration or signal
	Groups     map[string]groupSummary `json:"groups"`
}

// groupSummary has the latencies of the requests that succeeded.
type groupSummary struct {
	Pods           int            `json:"pods"`
	Requests       int            `json:"requests"`
	Errors         int            `json:"errors"`
	ErrorTexts     []string       `json:"errorTexts,omitempty"`
	Statuses       map[uint16]int `json:"statuses"`
	RequestsOfPod  map[string]int `json:"requestsOfPod"`
	AchievedPerPod float64        `json:"achievedPerPod"`
	MeanMs         float64        `json:"meanMs"`
	P50Ms          float64        `json:"p50Ms"`
	P90Ms          float64        `json:"p90Ms"`
	P99Ms          float64        `json:"p99Ms"`
	MaxMs          float64        `json:"maxMs"`
}

// groupRecord counts the outcomes of a group. Latencies from fresh on have not been in a line of progress yet.
type groupRecord struct {
	name        string
	summary     groupSummary
	latenciesMs []float64
	fresh       int
	freshErrors int
}

type recorder struct {
	groups []*groupRecord
	ofPod  map[string]*groupRecord
}

func newRecorder(groups []group) *recorder {
	r := &recorder{ofPod: map[string]*groupRecord{}}
	for _, g := range groups {
		record := &groupRecord{name: g.name, summary: groupSummary{
			Pods: len(g.pods), Statuses: map[uint16]int{}, RequestsOfPod: map[string]int{},
		}}
		r.groups = append(r.groups, record)
		for _, pod := range g.pods {
			r.ofPod[pod] = record
		}
	}
	return r
}

func (r *recorder) add(pod string, o outcome) {
	record := r.ofPod[pod]
	s := &record.summary
	s.Requests++
	s.Statuses[o.status]++
	s.RequestsOfPod[pod]++
	if !o.failed() {
		record.latenciesMs = append(record.latenciesMs, float64(o.latency)/float64(time.Millisecond))
		return
	}
	s.Errors++
	record.freshErrors++
	if len(s.ErrorTexts) < maxErrorTexts && !slices.Contains(s.ErrorTexts, o.err) {
		s.ErrorTexts = append(s.ErrorTexts, o.err)
	}
}

// progressLine says what happened since the last one.
func (r *recorder) progressLine(since time.Duration) string {
	parts := []string{fmt.Sprintf("%4.0f s", since.Seconds())}
	for _, g := range r.groups {
		latencies := slices.Sorted(slices.Values(g.latenciesMs[g.fresh:]))
		parts = append(parts, fmt.Sprintf("%s: %d requests, %d errors, p50 %.1f ms, p99 %.1f ms", g.name,
			len(latencies)+g.freshErrors, g.freshErrors, quantile(latencies, 0.5), quantile(latencies, 0.99)))
		g.fresh, g.freshErrors = len(g.latenciesMs), 0
	}
	return strings.Join(parts, "  ")
}

func (r *recorder) summary(o options, took time.Duration, stopped bool) summary {
	result := summary{
		Seconds: rounded(took.Seconds()), RatePerPod: o.rate, StoppedBy: "duration", Groups: map[string]groupSummary{},
	}
	if stopped {
		result.StoppedBy = "signal"
	}
	for _, g := range r.groups {
		result.Groups[g.name] = g.finished(took)
	}
	return result
}

func (g *groupRecord) finished(took time.Duration) groupSummary {
	s := g.summary
	s.AchievedPerPod = rounded(float64(s.Requests) / float64(s.Pods) / took.Seconds())
	sorted := slices.Sorted(slices.Values(g.latenciesMs))
	s.MeanMs = rounded(mean(sorted))
	s.P50Ms = rounded(quantile(sorted, 0.5))
	s.P90Ms = rounded(quantile(sorted, 0.9))
	s.P99Ms = rounded(quantile(sorted, 0.99))
	s.MaxMs = rounded(quantile(sorted, 1))
	return s
}

// quantile is the nearest rank in sorted values: a latency that was measured, none in between. 0 of none.
func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	rank := int(math.Ceil(q * float64(len(sorted))))
	return sorted[max(rank, 1)-1]
}

func mean(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sum := 0.0
	for _, value := range values {
		sum += value
	}
	return sum / float64(len(values))
}

func rounded(value float64) float64 { return math.Round(value*1000) / 1000 }

func writeSummary(s summary, out string) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	text = append(text, '\n')
	if _, err := os.Stdout.Write(text); err != nil {
		return err
	}
	if out == "" {
		return nil
	}
	return os.WriteFile(out, text, 0o644)
}
