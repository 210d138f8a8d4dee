package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

var (
	// marker precedes the time at which an object was sent, in an annotation.
	marker = []byte(`"bench/sent":"`)
	// versionMarker precedes the version of an object.
	versionMarker = []byte(`"resourceVersion":"`)
	// refusal begins the event by which a server says why it ends a watch.
	refusal = []byte(`{"type":"ERROR"`)
)

// watcher receives events and looks at nothing but their ages.
type watcher struct {
	ages []time.Duration
	last time.Time
	// version is that of the last event.
	version string
}

// runWatch opens the watches, writes, and waits until every watcher has every event.
func runWatch(job Job, clients []*http.Client) (*Result, error) {
	if len(job.Requests) == 0 || job.Workers < 1 {
		return nil, errors.New("a watch job needs somebody who writes")
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	expected := job.WarmUp + job.Operations
	watchers := make([]*watcher, job.Watchers)
	var opened, done sync.WaitGroup
	var missing atomic.Int64
	missing.Store(int64(len(watchers)) * int64(expected))
	all := make(chan struct{})
	failures := make(chan error, len(watchers))
	watching, err := newClients(Job{CA: job.CA, Cert: job.Cert, Key: job.Key, HTTP2: job.HTTP2, Clients: watchClients(job)})
	if err != nil {
		return nil, err
	}
	opened.Add(len(watchers))
	for index := range watchers {
		watchers[index] = &watcher{ages: make([]time.Duration, 0, expected)}
		done.Go(func() {
			received := func() {
				if missing.Add(-1) == 0 {
					close(all)
				}
			}
			client := watching[index%len(watching)]
			if err := watchers[index].watch(ctx, client, job, &opened, received); err != nil && ctx.Err() == nil {
				failures <- err
			}
		})
	}
	opened.Wait()
	if len(failures) > 0 {
		return nil, <-failures
	}
	if err := warmUp(job, clients); err != nil {
		return nil, err
	}
	start, served := time.Now(), serverTime(job.Pids)
	result := drive(job, clients, job.WarmUp, job.Operations, job.Rate)
	if result.Unexpected != "" {
		return result, nil
	}
	select {
	case <-all:
	case err := <-failures:
		return nil, err
	case <-time.After(time.Duration(job.SettleMs) * time.Millisecond):
		return nil, fmt.Errorf("%d events have not arrived", missing.Load())
	}
	result.ServerCPUMs = milliseconds(serverTime(job.Pids) - served)
	cancel()
	done.Wait()
	addDeliveries(result, watchers, start, job.WarmUp)
	return result, nil
}

// watchClients spreads watches over clients: HTTP/1.1 needs a connection for each, HTTP/2 shares one.
func watchClients(job Job) int {
	if job.Clients > 0 {
		return job.Clients
	}
	return job.Watchers
}

func addDeliveries(result *Result, watchers []*watcher, start time.Time, warmUp int) {
	var ages []time.Duration
	last := start
	for _, each := range watchers {
		ages = append(ages, each.ages[warmUp:]...)
		if each.last.After(last) {
			last = each.last
		}
	}
	result.Deliveries = len(ages)
	result.DeliverySeconds = last.Sub(start).Seconds()
	result.Delivery = quantilesOf(ages)
}

// watch receives events until the context ends. A server that ends a watch, as one does with a watcher that it has to wait
// for, is asked again for what came after the last event.
func (w *watcher) watch(ctx context.Context, client *http.Client, job Job, opened *sync.WaitGroup, received func()) error {
	var once sync.Once
	ready := func() { once.Do(opened.Done) }
	defer ready()
	for path := job.WatchPath; ; {
		err := w.follow(ctx, client, job.Server+path, ready, received)
		if !errors.Is(err, io.EOF) || w.version == "" {
			return err
		}
		if path, err = pathSince(job.WatchPath, w.version); err != nil {
			return err
		}
	}
}

// follow receives the events of one answer; io.EOF when the server has ended it.
func (w *watcher) follow(ctx context.Context, client *http.Client, address string, ready, received func()) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", "t8s-bench")
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("watch: %s", response.Status)
	}
	ready()
	lines := bufio.NewReaderSize(response.Body, 64*1024)
	for {
		line, err := readLine(lines)
		if err != nil {
			return err
		}
		if bytes.HasPrefix(line, refusal) {
			return fmt.Errorf("watch: %s", line)
		}
		age, found := ageOf(line)
		if !found {
			continue
		}
		w.version = string(textAfter(line, versionMarker))
		w.ages = append(w.ages, age)
		w.last = time.Now()
		received()
	}
}

// pathSince is the path of a watch that begins after a version.
func pathSince(path, version string) (string, error) {
	address, err := url.Parse(path)
	if err != nil {
		return "", err
	}
	query := address.Query()
	query.Set("resourceVersion", version)
	address.RawQuery = query.Encode()
	return address.String(), nil
}

// readLine returns a whole line; it is valid until the next one is read if it fits the buffer.
func readLine(lines *bufio.Reader) ([]byte, error) {
	line, err := lines.ReadSlice('\n')
	if !errors.Is(err, bufio.ErrBufferFull) {
		return line, err
	}
	long := bytes.Clone(line)
	rest, err := lines.ReadBytes('\n')
	return append(long, rest...), err
}

func ageOf(line []byte) (time.Duration, bool) {
	sent, err := strconv.ParseInt(string(textAfter(line, marker)), 10, 64)
	if err != nil {
		return 0, false
	}
	return time.Duration(time.Now().UnixNano() - sent), true
}

// textAfter is what stands between a marker and the next quote; empty where there is no such marker.
func textAfter(line, marker []byte) []byte {
	at := bytes.Index(line, marker)
	if at < 0 {
		return nil
	}
	text := line[at+len(marker):]
	return text[:max(bytes.IndexByte(text, '"'), 0)]
}
