// Command informers is what most programs on a cluster are to its API server: client-go's shared informers, unmodified.
// It takes a job as JSON on the standard input, prints a line of JSON when all informers have synced and another when
// each has received every update.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net"
	"os"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

// Job is what to watch on which server. CA, Cert and Key are files in PEM.
type Job struct {
	Server    string `json:"server"`
	CA        string `json:"ca"`
	Cert      string `json:"cert"`
	Key       string `json:"key"`
	Namespace string `json:"namespace"`
	// Informers have connections of their own, as if they were programs of their own.
	Informers int `json:"informers"`
	// Updates is how many each informer waits for.
	Updates int `json:"updates"`
}

// Synced is the first line: Objects are those of one informer.
type Synced struct {
	SyncMs  float64 `json:"syncMs"`
	Objects int     `json:"objects"`
}

// Result is the second line. Ages of updates count from when their patch was sent.
type Result struct {
	Deliveries  int     `json:"deliveries"`
	Seconds     float64 `json:"seconds"`
	P50         float64 `json:"p50"`
	P99         float64 `json:"p99"`
	ClientCPUMs float64 `json:"clientCpuMs"`
}

const (
	// sentAnnotation holds the time at which a patch was sent, in nanoseconds.
	sentAnnotation = "bench/sent"
	updatesWait    = 2 * time.Minute
)

func main() {
	var job Job
	if err := json.NewDecoder(os.Stdin).Decode(&job); err != nil {
		fail(fmt.Errorf("the job cannot be read: %w", err))
	}
	if err := run(job); err != nil {
		fail(err)
	}
}

func run(job Job) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	start := time.Now()
	seen := newUpdates(job.Informers * job.Updates)
	var last cache.SharedIndexInformer
	var synced []cache.InformerSynced
	for range job.Informers {
		informer, err := startInformer(ctx, job, seen)
		if err != nil {
			return err
		}
		last = informer
		synced = append(synced, informer.HasSynced)
	}
	if !cache.WaitForCacheSync(ctx.Done(), synced...) {
		return fmt.Errorf("the informers have not synced")
	}
	output := json.NewEncoder(os.Stdout)
	if err := output.Encode(Synced{SyncMs: milliseconds(time.Since(start)), Objects: len(last.GetStore().ListKeys())}); err != nil {
		return err
	}
	if job.Updates == 0 {
		return nil
	}
	used := processorTime()
	select {
	case <-seen.all:
	case <-time.After(updatesWait):
		return fmt.Errorf("%d updates have not arrived", seen.missing)
	}
	result := seen.result()
	result.ClientCPUMs = milliseconds(processorTime() - used)
	return output.Encode(result)
}

func startInformer(ctx context.Context, job Job, seen *updates) (cache.SharedIndexInformer, error) {
	config := &rest.Config{
		Host:            job.Server,
		TLSClientConfig: rest.TLSClientConfig{CAFile: job.CA, CertFile: job.Cert, KeyFile: job.Key},
		// A dialer of its own: client-go shares the connections of clients that are set up alike.
		Dial: (&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace(job.Namespace))
	informer := factory.Core().V1().Pods().Informer()
	update := func(_, object any) { seen.add(object) }
	if _, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{UpdateFunc: update}); err != nil {
		return nil, err
	}
	factory.Start(ctx.Done())
	return informer, nil
}

// updates are those of all informers together.
type updates struct {
	mutex   sync.Mutex
	ages    []time.Duration
	missing int
	first   time.Time
	last    time.Time
	all     chan struct{}
}

func newUpdates(expected int) *updates {
	return &updates{missing: expected, all: make(chan struct{})}
}

func (u *updates) add(object any) {
	now := time.Now()
	pod, ok := object.(*corev1.Pod)
	if !ok {
		return
	}
	sent, err := strconv.ParseInt(pod.Annotations[sentAnnotation], 10, 64)
	if err != nil {
		return
	}
	u.mutex.Lock()
	defer u.mutex.Unlock()
	if u.first.IsZero() {
		u.first = now
	}
	u.last = now
	u.ages = append(u.ages, now.Sub(time.Unix(0, sent)))
	u.missing--
	if u.missing == 0 {
		close(u.all)
	}
}

func (u *updates) result() Result {
	slices.Sort(u.ages)
	at := func(share float64) float64 {
		return milliseconds(u.ages[max(int(math.Ceil(share*float64(len(u.ages))))-1, 0)])
	}
	return Result{Deliveries: len(u.ages), Seconds: u.last.Sub(u.first).Seconds(), P50: at(0.5), P99: at(0.99)}
}

// processorTime is what this process has used, user and system.
func processorTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func milliseconds(duration time.Duration) float64 {
	return float64(duration) / float64(time.Millisecond)
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
