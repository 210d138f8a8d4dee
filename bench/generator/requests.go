package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// worker is one sequential sender.
type worker struct {
	job       Job
	client    *http.Client
	buffer    []byte
	start     []byte
	latencies []time.Duration
	bytes     int64
	statuses  map[string]int
	protocol  string
	// unexpected is the first answer that was no success.
	unexpected string
}

// runRequests sends the requests of the job: first those that do not count, then those that do.
func runRequests(job Job, clients []*http.Client) (*Result, error) {
	if len(job.Requests) == 0 || job.Workers < 1 {
		return nil, fmt.Errorf("a job needs requests and workers")
	}
	if job.WarmUp > 0 {
		if err := warmUp(job, clients); err != nil {
			return nil, err
		}
	}
	return drive(job, clients, job.WarmUp, job.Operations, job.Rate), nil
}

// warmUp sends the requests that do not count, the same number by each worker: the connections of all are there then.
func warmUp(job Job, clients []*http.Client) error {
	workers := newWorkers(job, clients, job.WarmUp)
	var done sync.WaitGroup
	for index, each := range workers {
		done.Go(func() {
			for number := index; number < job.WarmUp; number += len(workers) {
				each.send(number, time.Now())
			}
		})
	}
	done.Wait()
	if warm := resultOf(workers, 0); warm.Unexpected != "" {
		return fmt.Errorf("warming up: %s", warm.Unexpected)
	}
	return nil
}

func newWorkers(job Job, clients []*http.Client, count int) []*worker {
	workers := make([]*worker, job.Workers)
	for index := range workers {
		workers[index] = &worker{
			job:       job,
			client:    clients[index%len(clients)],
			buffer:    make([]byte, 64*1024),
			start:     make([]byte, 0, startBytes),
			latencies: make([]time.Duration, 0, count/job.Workers+1),
			statuses:  map[string]int{},
		}
	}
	return workers
}

// drive sends count requests with numbers from first on.
func drive(job Job, clients []*http.Client, first, count int, rate float64) *Result {
	workers := newWorkers(job, clients, count)
	var next atomic.Int64
	var done sync.WaitGroup
	start, used, served := time.Now(), processorTime(), serverTime(job.Pids)
	for _, each := range workers {
		done.Go(func() {
			for {
				number := int(next.Add(1)) - 1
				if number >= count {
					return
				}
				due := time.Now()
				if rate > 0 {
					due = start.Add(time.Duration(float64(number) / rate * float64(time.Second)))
					time.Sleep(time.Until(due))
				}
				each.send(first+number, due)
			}
		})
	}
	done.Wait()
	result := resultOf(workers, time.Since(start))
	result.ClientCPUMs = milliseconds(processorTime() - used)
	result.ServerCPUMs = milliseconds(serverTime(job.Pids) - served)
	return result
}

// send sends one request, or one for each page of a list, and reads the answers to their end.
func (w *worker) send(number int, due time.Time) {
	template := w.job.Requests[number%len(w.job.Requests)]
	path := template.path(number)
	attemptsLeft := template.attempts()
	for next := path; next != ""; {
		answer, err := w.exchange(template, next, number)
		if attemptsLeft--; err != nil && attemptsLeft > 0 {
			continue
		}
		if err != nil {
			w.fail("error", err.Error())
			break
		}
		status := strconv.Itoa(answer.status)
		if answer.status >= 300 {
			w.fail(status, fmt.Sprintf("%s %s: %s %s", template.Method, next, status, answer.start[:min(len(answer.start), shownBytes)]))
			break
		}
		w.statuses[status]++
		next = ""
		if token := continueToken(answer.start); template.Paged && token != "" {
			next = path + "&continue=" + token
		}
	}
	w.latencies = append(w.latencies, time.Since(due))
}

// answer is what is known of an answer that was read.
type answer struct {
	status int
	// start is how it began: metadata come before the items of a list.
	start []byte
}

func (w *worker) exchange(template Template, path string, number int) (answer, error) {
	var body io.Reader
	if template.Body != "" {
		body = strings.NewReader(template.body(number))
	}
	request, err := http.NewRequest(template.Method, w.job.Server+path, body)
	if err != nil {
		return answer{}, err
	}
	setHeaders(request, template)
	response, err := w.client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	w.protocol = response.Proto
	start, err := w.drain(response.Body, []byte(template.Until))
	return answer{status: response.StatusCode, start: start}, err
}

var continueMarker = []byte(`"continue":"`)

// continueToken is found near the start of a list in JSON.
func continueToken(start []byte) string {
	at := bytes.Index(start, continueMarker)
	if at < 0 {
		return ""
	}
	token := start[at+len(continueMarker):]
	end := bytes.IndexByte(token, '"')
	if end < 0 {
		return ""
	}
	return url.QueryEscape(string(token[:end]))
}

func setHeaders(request *http.Request, template Template) {
	request.Header.Set("User-Agent", "t8s-bench")
	accept := template.Accept
	if accept == "" {
		accept = "application/json"
	}
	request.Header.Set("Accept", accept)
	if template.AcceptEncoding != "" {
		request.Header.Set("Accept-Encoding", template.AcceptEncoding)
	}
	if template.Body == "" {
		return
	}
	contentType := template.ContentType
	if contentType == "" {
		contentType = "application/json"
	}
	request.Header.Set("Content-Type", contentType)
}

const (
	// shownBytes is how much of an answer a message repeats.
	shownBytes = 300
	// startBytes is how much of an answer is kept.
	startBytes = 4096
)

// drain reads everything, or as far as the text that ends it, and returns how it began.
func (w *worker) drain(body io.Reader, until []byte) ([]byte, error) {
	start := w.start[:0]
	kept := 0
	for {
		// What may be the beginning of the text that ends it stays in the buffer.
		count, err := body.Read(w.buffer[kept:])
		w.bytes += int64(count)
		if room := startBytes - len(start); room > 0 {
			start = append(start, w.buffer[kept:kept+min(count, room)]...)
		}
		if len(until) > 0 {
			seen := w.buffer[:kept+count]
			if bytes.Contains(seen, until) {
				return start, nil
			}
			kept = copy(w.buffer, seen[max(0, len(seen)-len(until)+1):])
		}
		if err == io.EOF {
			return start, nil
		}
		if err != nil {
			return start, err
		}
	}
}

func (w *worker) fail(status, text string) {
	w.statuses[status]++
	if w.unexpected == "" {
		w.unexpected = text
	}
}

func resultOf(workers []*worker, took time.Duration) *Result {
	result := &Result{Statuses: map[string]int{}, Seconds: took.Seconds()}
	var latencies []time.Duration
	for _, each := range workers {
		latencies = append(latencies, each.latencies...)
		result.Bytes += each.bytes
		for status, count := range each.statuses {
			result.Statuses[status] += count
		}
		if result.Unexpected == "" {
			result.Unexpected = each.unexpected
		}
		if each.protocol != "" {
			result.Protocol = each.protocol
		}
	}
	result.Operations = len(latencies)
	result.Latency = quantilesOf(latencies)
	return result
}
