/** The load generator: a Go program that is given a job and gives back a result, both as JSON. `generator/job.go`. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import type { Access } from './sides/side.ts'

export interface Job {
  readonly http2?: boolean
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
  readonly deliveries?: number
  readonly deliverySeconds?: number
  readonly delivery?: Quantiles
}

interface Answer extends JobResult {
  /** The first answer that was no success. */
  readonly unexpected?: string
}

/** Throws when an answer is no success: a figure of refusals is worth nothing. */
export async function runJob(program: string, access: Access, job: Job): Promise<JobResult> {
  const { server, ca, certificate: cert, key } = access
  const child = spawn(program, { stdio: ['pipe', 'pipe', 'pipe'] })
  child.stdin.end(JSON.stringify({ server, ca, cert, key, ...job }))
  const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  if (code !== 0) throw new Error(errors.trim())
  const { unexpected, ...result }: Answer = JSON.parse(output)
  if (unexpected !== undefined) throw new Error(unexpected)
  return result
}
