package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// tick is that of /proc: 100 in a second on every Linux that Go runs on.
const tick = 10 * time.Millisecond

// processorTime is what this process has used, user and system.
func processorTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// serverTime is what the processes have used since they began. One that has ended counts as nothing: its figures are
// worth nothing, and the requests that it no longer answers end the job.
func serverTime(pids []int) time.Duration {
	var ticks time.Duration
	for _, pid := range pids {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			continue
		}
		// The name, in brackets, may hold anything; user and system time are the 12th and 13th field after it.
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		for _, field := range fields[11:13] {
			count, err := strconv.Atoi(field)
			if err == nil {
				ticks += time.Duration(count)
			}
		}
	}
	return ticks * tick
}
