/** The machine card: what a reader must know before comparing figures with those of another machine. */

import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { arch, cpus, loadavg, release, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { percentile } from './statistics.ts'

export interface MachineCard {
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly architecture: string
  readonly kernel: string
  readonly node: string
  /** Appending one record of 2.3 KB and making it durable, in ms. */
  readonly fdatasyncMs: { readonly p50: number; readonly p99: number }
  /** A fixed amount of work for one core, in ms: tells a slow or busy machine from a slow program. */
  readonly calibrationMs: number
  /** Over the last minute, before the first row. */
  readonly load: number
}

const RECORD_BYTES = 2_300
const SYNCS = 300
const CALIBRATION_ROUNDS = 30_000_000

export function machineCard(): MachineCard {
  const processors = cpus()
  return {
    cpu: processors[0]?.model ?? 'unknown',
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    architecture: arch(),
    kernel: release(),
    node: process.version,
    fdatasyncMs: measureSync(),
    calibrationMs: calibrate(),
    load: loadavg()[0] ?? 0,
  }
}

function measureSync(): MachineCard['fdatasyncMs'] {
  const directory = mkdtempSync(join(tmpdir(), 't8s-bench-sync-'))
  const file = openSync(join(directory, 'log'), 'w')
  try {
    const record = Buffer.alloc(RECORD_BYTES, 'x')
    const samples = Array.from({ length: SYNCS }, () => {
      const startedAt = performance.now()
      writeSync(file, record)
      fdatasyncSync(file)
      return performance.now() - startedAt
    }).sort((left, right) => left - right)
    return { p50: percentile(samples, 0.5), p99: percentile(samples, 0.99) }
  } finally {
    closeSync(file)
    rmSync(directory, { recursive: true, force: true })
  }
}

/** A linear congruential generator: integer work that no compiler can leave out. */
function calibrate(): number {
  const startedAt = performance.now()
  let state = 1
  for (let round = 0; round < CALIBRATION_ROUNDS; round++) state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
  return state === 0 ? Number.NaN : performance.now() - startedAt
}
