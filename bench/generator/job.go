package main

import (
	"strconv"
	"strings"
	"time"
)

// Job is what to do to which server.
type Job struct {
	// Server is https://host:port.
	Server string `json:"server"`
	// CA, Cert and Key are files in PEM.
	CA   string `json:"ca"`
	Cert string `json:"cert"`
	Key  string `json:"key"`
	// HTTP2 offers HTTP/2, as client-go does; without it only HTTP/1.1 is spoken.
	HTTP2 bool `json:"http2"`
	// Clients is the number of transports, each with connections of its own. 0: one for each worker or watcher.
	Clients int `json:"clients"`

	// Workers send one request after the other.
	Workers int `json:"workers"`
	// WarmUp is the number of requests before those that count.
	WarmUp int `json:"warmUp"`
	// Operations is the number of requests that count.
	Operations int `json:"operations"`
	// Rate is requests per second that are due whether or not earlier ones are answered; a latency counts from when
	// a request was due. 0: each worker sends as soon as it has its answer.
	Rate float64 `json:"rate"`
	// Requests are sent in turn. Empty in a watch job: somebody else writes.
	Requests []Template `json:"requests"`

	// Pids are the server's processes: what they use while it counts is theirs, connections not included.
	Pids []int `json:"pids"`

	// Watchers open this many watches of WatchPath before the first request.
	Watchers  int    `json:"watchers"`
	WatchPath string `json:"watchPath"`
	// SettleMs is how long watchers may take after the last request to receive everything.
	SettleMs int `json:"settleMs"`
}

// Template is a request. In its path and body {i} stands for the number of the request, {c} for its last two digits
// and {now} for the time in nanoseconds, by which a watcher knows how old an event is.
type Template struct {
	Method         string `json:"method"`
	Path           string `json:"path"`
	Body           string `json:"body"`
	ContentType    string `json:"contentType"`
	Accept         string `json:"accept"`
	AcceptEncoding string `json:"acceptEncoding"`
	// Paged follows the continue tokens of a list: all pages are one operation.
	Paged bool `json:"paged"`
	// Until ends an answer that goes on for ever: with this text the operation is done.
	Until string `json:"until"`
}

// Result is what came of it. Times are in milliseconds.
type Result struct {
	Operations int            `json:"operations"`
	Seconds    float64        `json:"seconds"`
	Latency    Quantiles      `json:"latency"`
	Bytes      int64          `json:"bytes"`
	Statuses   map[string]int `json:"statuses"`
	Protocol   string         `json:"protocol"`
	// ClientCPUMs is what this program used while it counted.
	ClientCPUMs float64 `json:"clientCpuMs"`
	// ServerCPUMs is what the processes of the job used meanwhile.
	ServerCPUMs float64 `json:"serverCpuMs"`
	// Unexpected is the first answer that was no success.
	Unexpected string `json:"unexpected,omitempty"`
	// Deliveries are events that watchers received while it counted.
	Deliveries      int       `json:"deliveries,omitempty"`
	DeliverySeconds float64   `json:"deliverySeconds,omitempty"`
	Delivery        Quantiles `json:"delivery,omitzero"`
}

// cutOffMax is how often a client begins again whose answer broke off.
const cutOffMax = 20

// attempts is one, but for an answer that goes on for ever: servers break such answers off, and clients ask again.
func (t Template) attempts() int {
	if t.Until == "" {
		return 1
	}
	return cutOffMax
}

func (t Template) path(index int) string {
	return numbers(index).Replace(t.Path)
}

func (t Template) body(index int) string {
	body := numbers(index).Replace(t.Body)
	return strings.ReplaceAll(body, "{now}", strconv.FormatInt(time.Now().UnixNano(), 10))
}

func numbers(index int) *strings.Replacer {
	return strings.NewReplacer("{i}", strconv.Itoa(index), "{c}", strconv.Itoa(index%100))
}
