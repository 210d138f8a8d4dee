package main

import (
	"fmt"
	"io"
	"net/http"
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
		if warm := drive(job, clients, 0, job.WarmUp, 0); warm.Unexpected != "" {
			return nil, fmt.Errorf("warming up: %s", warm.Unexpected)
		}
	}
	return drive(job, clients, job.WarmUp, job.Operations, job.Rate), nil
}

// drive sends count requests with numbers from first on.
func drive(job Job, clients []*http.Client, first, count int, rate float64) *Result {
	workers := make([]*worker, job.Workers)
	for index := range workers {
		workers[index] = &worker{
			job:       job,
			client:    clients[index%len(clients)],
			buffer:    make([]byte, 64*1024),
			latencies: make([]time.Duration, 0, count/job.Workers+1),
			statuses:  map[string]int{},
		}
	}
	var next atomic.Int64
	var done sync.WaitGroup
	start := time.Now()
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
	return resultOf(workers, time.Since(start))
}

// send sends one request and reads its answer to the end.
func (w *worker) send(number int, due time.Time) {
	template := w.job.Requests[number%len(w.job.Requests)]
	var body io.Reader
	if template.Body != "" {
		body = strings.NewReader(template.body(number))
	}
	request, err := http.NewRequest(template.Method, w.job.Server+template.path(number), body)
	if err != nil {
		w.fail("error", err.Error())
		return
	}
	setHeaders(request, template)
	response, err := w.client.Do(request)
	if err != nil {
		w.fail("error", err.Error())
		return
	}
	read, start, err := w.drain(response.Body)
	w.latencies = append(w.latencies, time.Since(due))
	w.bytes += read
	w.protocol = response.Proto
	status := strconv.Itoa(response.StatusCode)
	if err != nil {
		w.fail("error", err.Error())
	} else if response.StatusCode >= 300 {
		w.fail(status, fmt.Sprintf("%s %s: %s %s", template.Method, request.URL.Path, status, start))
	} else {
		w.statuses[status]++
	}
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

// shownBytes is how much of an answer a message repeats.
const shownBytes = 300

// drain reads everything, and returns how much it was and how it began.
func (w *worker) drain(body io.ReadCloser) (total int64, start string, err error) {
	defer body.Close()
	for {
		count, err := body.Read(w.buffer)
		if total == 0 && count > 0 {
			start = string(w.buffer[:min(count, shownBytes)])
		}
		total += int64(count)
		if err == io.EOF {
			return total, start, nil
		}
		if err != nil {
			return total, start, err
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
