/** The load generator: a Go program that is given a job and gives back a result, both as JSON. `generator/job.go`. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { pinned } from '../conformance/peers/processes.ts'
import type { Programs } from './prepare.ts'
import type { Access, Protocol } from './sides/side.ts'

export interface Job {
  /** Independent clients, each with connections of its own. Absent: one for each worker. */
  readonly clients?: number
  readonly workers: number
  readonly warmUp?: number
  readonly operations: number
  /** Requests per second that are due. Absent: each worker sends as soon as it has its answer. */
  readonly rate?: number
  readonly requests: readonly RequestTemplate[]
  readonly watchers?: number
  readonly watchPath?: string
  readonly settleMs?: number
  /** The server's processes, whose processor time counts from the first request that does. */
  readonly pids?: readonly number[]
}

/** `{i}` stands for the number of the request, `{c}` for its last two digits, `{now}` for the time in nanoseconds. */
export interface RequestTemplate {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly body?: string
  readonly contentType?: string
  readonly accept?: string
  readonly acceptEncoding?: string
  /** All pages of a list are one operation. */
  readonly paged?: boolean
  /** Ends an answer that goes on for ever. */
  readonly until?: string
}

/** In ms. */
export interface Quantiles {
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly max: number
}

export interface JobResult {
  readonly operations: number
  readonly seconds: number
  readonly latency: Quantiles
  readonly bytes: number
  readonly protocol: string
  readonly clientCpuMs: number
  readonly serverCpuMs: number
  readonly deliveries?: number
  readonly deliverySeconds?: number
  readonly delivery?: Quantiles
}

/** How the generator asks. */
export interface Client {
  /** As client-go does. */
  readonly offersHttp2: boolean
  /** What must come of it. */
  readonly protocol: Protocol
  /** Where alone it may run. Absent: wherever there is room. */
  readonly processors?: string | undefined
}

interface Answer extends JobResult {
  /** The first answer that was no success. */
  readonly unexpected?: string
}

/** Throws when an answer is no success: a figure of refusals is worth nothing. */
export async function runJob({ generator }: Programs, access: Access, client: Client, job: Job): Promise<JobResult> {
  const { server, ca, certificate: cert, key } = access
  const request = { server, ca, cert, key, http2: client.offersHttp2, ...job }
  const { unexpected, ...result }: Answer = JSON.parse(
    await runProgram(generator, JSON.stringify(request), client.processors),
  )
  if (unexpected !== undefined) throw new Error(unexpected)
  if (result.protocol !== client.protocol) throw new Error(`${result.protocol} was spoken, not ${client.protocol}`)
  return result
}

async function runProgram(program: string, input: string, processors?: string): Promise<string> {
  const [command = program, ...words] = pinned([program], processors)
  const child = spawn(command, words, { stdio: ['pipe', 'pipe', 'pipe'] })
  child.stdin.end(input)
  const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  if (code !== 0) throw new Error(errors.trim())
  return output
}
