/** What processes cost, from /proc: Linux only. */

import { readFileSync, writeFileSync } from 'node:fs'

export interface ProcessFigures {
  pids(): readonly number[]
  /** User and system time since the processes began, in ms. */
  cpuMs(): number
  /** What the processes occupy, shared pages by share, in MB (10⁶ bytes). */
  residentMb(): number
  /** The largest resident sets so far, summed, in MB. */
  peakMb(): number
  /** Lets `peakMb` begin anew. */
  resetPeak(): void
}

/** The clock ticks of /proc, in ms; 100 per second on every Linux that Node runs on. */
const TICK_MS = 10

/** `pids` is asked each time: a side may have started further processes. */
export function figuresOf(pids: () => readonly number[]): ProcessFigures {
  const sum = (of: (pid: number) => number) => pids().reduce((total, pid) => total + of(pid), 0)
  return {
    pids,
    cpuMs: () => sum(cpuMsOf),
    residentMb: () => sum((pid) => kilobytes(pid, 'smaps_rollup', 'Pss')) / 1_000,
    peakMb: () => sum((pid) => kilobytes(pid, 'status', 'VmHWM')) / 1_000,
    resetPeak() {
      // 5: the kernel's word for "forget the peak".
      for (const pid of pids()) writeFileSync(`/proc/${pid}/clear_refs`, '5')
    },
  }
}

function cpuMsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS
}

/** In thousands of bytes. */
function kilobytes(pid: number, file: string, field: string): number {
  const match = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/${file}`, 'utf8'))
  return (Number(match?.[1]) * 1_024) / 1_000
}
