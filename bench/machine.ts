/** The machine card: what a reader must know before comparing figures with those of another machine. */

import { createCipheriv, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { arch, cpus, homedir, loadavg, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { capture } from '../scripts/command.ts'
import { removeFolder, temporaryFolder } from './sides/places.ts'
import { median, percentile } from './statistics.ts'

export interface MachineCard {
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly architecture: string
  readonly kernel: string
  /** Where the stores of both sides lie. */
  readonly fileSystem: string
  readonly node: string
  /** What the other side was built with: `go1.26.8`. */
  readonly go: string
  /** Appending one record of 2.3 KB and making it durable, in ms. */
  readonly fdatasyncMs: { readonly p50: number; readonly p99: number }
  /** One byte over TCP to this machine and back, in µs: what no request can be faster than. */
  readonly loopbackUs: number
  /** AES-128-GCM over records of 16 KB on one core, in MB/s: what no large answer can be faster than. */
  readonly encryptionMBs: number
  /** A fixed amount of work for one core, in ms: tells a slow or busy machine from a slow program. */
  readonly calibrationMs: number
  /** Over the last minute, before the first row. */
  readonly load: number
}

/** Whether figures of both may stand beside each other. */
export function isSameMachine(one: MachineCard, other: MachineCard): boolean {
  return one.cpu === other.cpu && one.cores === other.cores
}

const RECORD_BYTES = 2_300
const SYNCS = 300
const ROUND_TRIPS = 2_000
const TLS_RECORD_BYTES = 16_384
const TLS_RECORDS = 8_192
const CALIBRATION_ROUNDS = 30_000_000

export async function machineCard(): Promise<MachineCard> {
  const processors = cpus()
  return {
    cpu: processors[0]?.model ?? 'unknown',
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    architecture: arch(),
    kernel: release(),
    fileSystem: capture('stat', ['--file-system', '--format=%T', homedir()]).output.trim(),
    node: process.version,
    go: /go[\d.]+/.exec(capture('go', ['version']).output)?.[0] ?? 'no Go',
    load: loadavg()[0] ?? 0,
    fdatasyncMs: measureSync(),
    loopbackUs: await measureLoopback(),
    encryptionMBs: measureEncryption(),
    calibrationMs: calibrate(),
  }
}

function measureSync(): MachineCard['fdatasyncMs'] {
  const folder = temporaryFolder()
  const file = openSync(join(folder, 'log'), 'w')
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
    removeFolder(folder)
  }
}

async function measureLoopback(): Promise<number> {
  const server = createServer((socket) => void socket.setNoDelay(true).pipe(socket)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const socket = connect(typeof address === 'object' && address !== null ? address.port : 0, '127.0.0.1')
  await once(socket.setNoDelay(true), 'connect')
  const samples: number[] = []
  for (let trip = 0; trip < ROUND_TRIPS; trip++) {
    const startedAt = performance.now()
    socket.write('x')
    await once(socket, 'data')
    samples.push((performance.now() - startedAt) * 1_000)
  }
  socket.destroy()
  server.close()
  return median(samples)
}

function measureEncryption(): number {
  const [key, nonce, record] = [randomBytes(16), randomBytes(12), randomBytes(TLS_RECORD_BYTES)]
  const startedAt = performance.now()
  for (let count = 0; count < TLS_RECORDS; count++) {
    const cipher = createCipheriv('aes-128-gcm', key, nonce)
    cipher.update(record)
    cipher.final()
  }
  return (TLS_RECORD_BYTES * TLS_RECORDS) / 1_000 / (performance.now() - startedAt)
}

/** A linear congruential generator: integer work that no compiler can leave out. */
export function calibrate(): number {
  const startedAt = performance.now()
  let state = 1
  for (let round = 0; round < CALIBRATION_ROUNDS; round++) state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
  return state === 0 ? Number.NaN : performance.now() - startedAt
}
