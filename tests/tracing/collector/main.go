// A collector of spans: takes OTLP over HTTP with the decoder of the OpenTelemetry Collector, and prints a line of JSON for each
// span. It prints its URL first.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"

	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

type span struct {
	Name       string         `json:"name"`
	Trace      string         `json:"trace"`
	ID         string         `json:"id"`
	Parent     string         `json:"parent"`
	Kind       string         `json:"kind"`
	Status     string         `json:"status"`
	DurationNs int64          `json:"duration_ns"`
	Attributes map[string]any `json:"attributes"`
	Resource   map[string]any `json:"resource"`
}

func printSpan(out *json.Encoder, each ptrace.Span, resource map[string]any) {
	out.Encode(span{
		Name:       each.Name(),
		Trace:      each.TraceID().String(),
		ID:         each.SpanID().String(),
		Parent:     each.ParentSpanID().String(),
		Kind:       each.Kind().String(),
		Status:     each.Status().Code().String(),
		DurationNs: int64(each.EndTimestamp() - each.StartTimestamp()),
		Attributes: each.Attributes().AsRaw(),
		Resource:   resource,
	})
}

func take(response http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	export := ptraceotlp.NewExportRequest()
	if err == nil {
		err = export.UnmarshalJSON(body)
	}
	if err != nil {
		http.Error(response, err.Error(), http.StatusBadRequest)
		fmt.Fprintln(os.Stderr, err)
		return
	}
	out := json.NewEncoder(os.Stdout)
	for _, ofResource := range export.Traces().ResourceSpans().All() {
		for _, ofScope := range ofResource.ScopeSpans().All() {
			for _, each := range ofScope.Spans().All() {
				printSpan(out, each, ofResource.Resource().Attributes().AsRaw())
			}
		}
	}
	response.Header().Set("Content-Type", "application/json")
	io.WriteString(response, "{}")
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	http.HandleFunc("POST /v1/traces", take)
	http.Serve(listener, nil)
}
