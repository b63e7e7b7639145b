// What sinks send to, made of what their makers publish: Pyroscope's push service by its generated handler, profiles read by pprof's own
// package, and webhooks verified by the library of Standard Webhooks. What came is told as JSON at /received, and as it came at /profiles/N.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"

	"connectrpc.com/connect"
	"github.com/google/pprof/profile"
	pushv1 "github.com/grafana/pyroscope/api/gen/proto/go/push/v1"
	"github.com/grafana/pyroscope/api/gen/proto/go/push/v1/pushv1connect"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

const mostBytes = 4 << 20

type received struct {
	mu       sync.Mutex
	Pushes   []push    `json:"pushes"`
	Webhooks []webhook `json:"webhooks"`
	raw      [][]byte
}

type push struct {
	Headers  map[string]string `json:"headers"`
	Profiles []pushed          `json:"profiles"`
}

type pushed struct {
	Labels     map[string]string `json:"labels"`
	SampleType string            `json:"sampleType"`
	PeriodType string            `json:"periodType"`
	Period     int64             `json:"period"`
	TimeNanos  int64             `json:"timeNanos"`
	Duration   int64             `json:"durationNanos"`
	Total      int64             `json:"total"`
	// Root first, with the line of each frame.
	Stacks map[string]int64 `json:"stacks"`
}

type webhook struct {
	Problem string `json:"problem"`
	Body    string `json:"body"`
}

func (all *received) Push(_ context.Context, request *connect.Request[pushv1.PushRequest]) (*connect.Response[pushv1.PushResponse], error) {
	all.mu.Lock()
	defer all.mu.Unlock()
	next := push{Headers: map[string]string{}}
	for _, name := range []string{"X-Scope-OrgID", "Authorization", "Content-Type", "User-Agent"} {
		next.Headers[name] = request.Header().Get(name)
	}
	for _, series := range request.Msg.Series {
		for _, sample := range series.Samples {
			one, err := read(sample.RawProfile)
			if err != nil {
				return nil, connect.NewError(connect.CodeInvalidArgument, err)
			}
			one.Labels = map[string]string{}
			for _, label := range series.Labels {
				one.Labels[label.Name] = label.Value
			}
			if one.Labels["service_name"] == "refused" {
				return nil, connect.NewError(connect.CodeInvalidArgument, errors.New("a series that is refused"))
			}
			next.Profiles = append(next.Profiles, one)
			all.raw = append(all.raw, sample.RawProfile)
		}
	}
	all.Pushes = append(all.Pushes, next)
	return connect.NewResponse(&pushv1.PushResponse{}), nil
}

func read(raw []byte) (pushed, error) {
	parsed, err := profile.ParseData(raw)
	if err != nil {
		return pushed{}, err
	}
	if err := parsed.CheckValid(); err != nil {
		return pushed{}, err
	}
	one := pushed{
		SampleType: parsed.SampleType[0].Type + "/" + parsed.SampleType[0].Unit,
		PeriodType: parsed.PeriodType.Type + "/" + parsed.PeriodType.Unit,
		Period:     parsed.Period,
		TimeNanos:  parsed.TimeNanos,
		Duration:   parsed.DurationNanos,
		Stacks:     map[string]int64{},
	}
	for _, sample := range parsed.Sample {
		stack := ""
		for at := len(sample.Location) - 1; at >= 0; at-- {
			line := sample.Location[at].Line[0]
			if stack != "" {
				stack += ";"
			}
			stack += line.Function.Name
			if line.Function.Filename != "" {
				stack += fmt.Sprintf("(%s:%d)", line.Function.Filename, line.Line)
			}
		}
		one.Stacks[stack] += sample.Value[0]
		one.Total += sample.Value[0]
	}
	return one, nil
}

func (all *received) serveWebhook(secret string) http.HandlerFunc {
	return func(writer http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(io.LimitReader(request.Body, mostBytes))
		if err != nil {
			http.Error(writer, err.Error(), http.StatusBadRequest)
			return
		}
		verifier, err := standardwebhooks.NewWebhook(secret)
		if err == nil {
			err = verifier.Verify(body, request.Header)
		}
		problem := ""
		if err != nil {
			problem = err.Error()
		}
		all.mu.Lock()
		all.Webhooks = append(all.Webhooks, webhook{Problem: problem, Body: string(body)})
		all.mu.Unlock()
		if problem != "" {
			http.Error(writer, problem, http.StatusUnauthorized)
		}
	}
}

func (all *received) tell(writer http.ResponseWriter, _ *http.Request) {
	all.mu.Lock()
	defer all.mu.Unlock()
	writer.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(writer).Encode(all)
}

func (all *received) tellProfile(writer http.ResponseWriter, request *http.Request) {
	all.mu.Lock()
	defer all.mu.Unlock()
	at, err := strconv.Atoi(request.PathValue("at"))
	if err != nil || at < 0 || at >= len(all.raw) {
		http.NotFound(writer, request)
		return
	}
	_, _ = writer.Write(all.raw[at])
}

// The only argument is the secret of webhooks. Prints its address.
func main() {
	all := &received{Pushes: []push{}, Webhooks: []webhook{}}
	mux := http.NewServeMux()
	path, handler := pushv1connect.NewPusherServiceHandler(all, connect.WithReadMaxBytes(mostBytes))
	mux.Handle(path, handler)
	mux.HandleFunc("POST /webhook", all.serveWebhook(os.Args[1]))
	mux.HandleFunc("GET /received", all.tell)
	mux.HandleFunc("GET /profiles/{at}", all.tellProfile)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr())
	log.Fatal(http.Serve(listener, mux))
}
