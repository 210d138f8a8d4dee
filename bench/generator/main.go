// Command generator puts load on an API server: one job as JSON on the standard input, one result as JSON on the
// standard output. It sends and receives with the transport that client-go uses and decodes nothing, so that it favours
// no server and costs little.
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

func main() {
	var job Job
	decoder := json.NewDecoder(os.Stdin)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&job); err != nil {
		fail(fmt.Errorf("the job cannot be read: %w", err))
	}
	result, err := run(job)
	if err != nil {
		fail(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		fail(err)
	}
}

func run(job Job) (*Result, error) {
	clients, err := newClients(job)
	if err != nil {
		return nil, err
	}
	if job.Watchers > 0 {
		return runWatch(job, clients)
	}
	return runRequests(job, clients)
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
