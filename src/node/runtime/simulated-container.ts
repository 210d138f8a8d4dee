/**
 * One container without a process. What it does is a function, its behaviour: while that runs, the container runs; what
 * it returns is the exit code. Time passes on the injected clock only.
 */

import type { Duplex } from 'node:stream'
import { AsyncQueue } from '../../base/async-queue.ts'
import type { Clock } from '../../base/clock.ts'
import type { ContainerConfig, ContainerStatus, LogLine, PodIdentity } from './runtime.ts'

/** Throw or return a number to exit; return nothing to exit with 0. */
// biome-ignore lint/suspicious/noConfusingVoidType: a behaviour that returns nothing is the usual one
export type PodBehavior = (container: SimulatedProcess) => Promise<number | void>

export interface ExecRequest {
  readonly command: readonly string[]
  /** Undefined: not connected. */
  readonly stdin: AsyncIterable<Uint8Array> | undefined
}

export interface ExecAnswer {
  readonly stdout?: string | undefined
  readonly stderr?: string | undefined
  /** Default 0. */
  readonly code?: number | undefined
}

export type ExecHandler = (request: ExecRequest) => Promise<ExecAnswer>

/** A container as its behaviour sees it. */
export interface SimulatedProcess {
  readonly image: string
  readonly name: string
  readonly attempt: number
  readonly command: readonly string[]
  readonly environment: ReadonlyMap<string, string>
  readonly pod: PodIdentity
  /** The pod's. */
  readonly annotations: Readonly<Record<string, string>>
  /** Aborts on the stop signal. A behaviour that goes on is killed after the grace period. */
  readonly signal: AbortSignal
  /** Sleeps on the cluster's clock; throws when the container is stopped meanwhile. */
  sleep(ms: number): Promise<void>
  log(line: string, stream?: 'stdout' | 'stderr'): void
  use(usage: { readonly cpuCores?: number; readonly memoryBytes?: number }): void
  /** Answers connections to a port of the pod. */
  serve(port: number, handler: (connection: Duplex) => void): void
  /** Default: every command succeeds without output. */
  exec(handler: ExecHandler): void
}

/** Runs until it is stopped, and then ends well. */
export const runForever: PodBehavior = async ({ signal }) => {
  if (signal.aborted) return
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}

/** The newest lines of a container are kept; at 100 bytes each this is 100 KB. */
const LOG_LINES_MAX = 1_000

/** A reader this many lines behind is cut off. */
const FOLLOWER_LINES_MAX = 10_000

const KILLED_EXIT_CODE = 137
const FAILED_EXIT_CODE = 1

export class SimulatedContainer {
  readonly id: string
  readonly sandboxId: string
  readonly config: ContainerConfig
  readonly ports = new Map<number, (connection: Duplex) => void>()
  readonly log: LogLine[] = []
  readonly pod: PodIdentity
  readonly #clock: Clock
  readonly #createdAtMs: number
  readonly #onChange: () => void
  readonly #stop = new AbortController()
  readonly #ended = Promise.withResolvers<void>()
  readonly #followers = new Set<AsyncQueue<LogLine>>()
  #state: ContainerStatus['state'] = 'created'
  #outcome: Partial<ContainerStatus> = {}
  #execHandler: ExecHandler = async () => ({})
  #cpu = { cores: 0, sinceMs: 0, nanoseconds: 0 }
  #memoryBytes = 0

  constructor(parts: {
    readonly id: string
    readonly sandboxId: string
    readonly pod: PodIdentity
    readonly config: ContainerConfig
    readonly clock: Clock
    readonly onChange: () => void
  }) {
    this.id = parts.id
    this.sandboxId = parts.sandboxId
    this.config = parts.config
    this.pod = parts.pod
    this.#clock = parts.clock
    this.#createdAtMs = parts.clock.now()
    this.#onChange = parts.onChange
  }

  get state(): ContainerStatus['state'] {
    return this.#state
  }

  status(): ContainerStatus {
    const { name, attempt, image, imageId, annotations } = this.config
    return {
      id: this.id,
      sandboxId: this.sandboxId,
      pod: this.pod,
      name,
      attempt,
      state: this.#state,
      image,
      imageId,
      createdAtMs: this.#createdAtMs,
      annotations,
      ...this.#outcome,
    }
  }

  start(behavior: PodBehavior, podAnnotations: Readonly<Record<string, string>>): void {
    this.#state = 'running'
    this.#outcome = { startedAtMs: this.#clock.now() }
    this.#onChange()
    // Asynchronous even where the behaviour throws at once: nobody has seen it run otherwise.
    Promise.resolve()
      .then(() => behavior(this.#process(podAnnotations)))
      .then(
        (code) => this.#end(typeof code === 'number' ? code : 0),
        (error: unknown) => this.#fail(error),
      )
  }

  /** Resolves when it has ended. */
  async stop(graceMs: number): Promise<void> {
    if (this.#state !== 'running') return
    const kill = this.#clock.after(graceMs, () => this.kill())
    this.#stop.abort()
    await this.#ended.promise
    kill.cancel()
  }

  kill(): void {
    if (this.#state === 'exited') return
    this.#stop.abort()
    this.#end(KILLED_EXIT_CODE)
  }

  /** Resolves when it has ended or the signal aborts. */
  async finished(signal: AbortSignal | undefined): Promise<void> {
    if (this.#state === 'exited' || signal?.aborted) return
    const aborted = Promise.withResolvers<void>()
    const onAbort = () => aborted.resolve()
    signal?.addEventListener('abort', onAbort, { once: true })
    await Promise.race([this.#ended.promise, aborted.promise])
    signal?.removeEventListener('abort', onAbort)
  }

  exec(request: ExecRequest): Promise<ExecAnswer> {
    return this.#execHandler(request)
  }

  usage(): { readonly cpuNanoseconds: number; readonly memoryWorkingSetBytes: number } {
    this.#account(this.#cpu.cores)
    return { cpuNanoseconds: Math.round(this.#cpu.nanoseconds), memoryWorkingSetBytes: this.#memoryBytes }
  }

  /** Lines from now on, until it ends or `unfollow`. */
  follow(): AsyncQueue<LogLine> {
    const queue = new AsyncQueue<LogLine>(FOLLOWER_LINES_MAX)
    if (this.#state === 'exited') queue.end()
    else this.#followers.add(queue)
    return queue
  }

  unfollow(queue: AsyncQueue<LogLine>): void {
    this.#followers.delete(queue)
    queue.end()
  }

  #process(annotations: Readonly<Record<string, string>>): SimulatedProcess {
    const { config } = this
    return {
      image: config.image,
      name: config.name,
      attempt: config.attempt,
      command: [...(config.command ?? []), ...(config.args ?? [])],
      environment: new Map(config.environment),
      pod: this.pod,
      annotations,
      signal: this.#stop.signal,
      sleep: (ms) => this.#clock.sleep(ms, this.#stop.signal),
      log: (line, stream = 'stdout') => this.#write(line, stream),
      use: ({ cpuCores, memoryBytes }) => {
        this.#account(cpuCores ?? this.#cpu.cores)
        this.#memoryBytes = memoryBytes ?? this.#memoryBytes
      },
      serve: (port, handler) => void this.ports.set(port, handler),
      exec: (handler) => {
        this.#execHandler = handler
      },
    }
  }

  #account(coresFromNow: number): void {
    const nowMs = this.#clock.monotonic()
    const { cores, sinceMs, nanoseconds } = this.#cpu
    const spent = this.#state === 'running' ? (nowMs - sinceMs) * 1e6 * cores : 0
    this.#cpu = { cores: coresFromNow, sinceMs: nowMs, nanoseconds: nanoseconds + spent }
  }

  #write(text: string, stream: 'stdout' | 'stderr'): void {
    if (this.#state !== 'running') return
    const timestamp = new Date(this.#clock.now()).toISOString().replace('Z', '000000Z')
    const line: LogLine = { timestamp, stream, bytes: Buffer.from(`${text}\n`) }
    this.log.push(line)
    if (this.log.length > LOG_LINES_MAX) this.log.shift()
    for (const queue of this.#followers) if (!queue.push(line)) this.unfollow(queue)
  }

  #fail(error: unknown): void {
    // Stopped in its sleep: the usual end of a behaviour that waits.
    const isStop = this.#stop.signal.aborted && error === this.#stop.signal.reason
    if (!isStop) this.#write(error instanceof Error ? error.message : String(error), 'stderr')
    this.#end(isStop ? 0 : FAILED_EXIT_CODE)
  }

  #end(exitCode: number): void {
    if (this.#state === 'exited') return
    this.#account(0)
    const reason = exitCode === 0 ? 'Completed' : 'Error'
    this.#outcome = { ...this.#outcome, finishedAtMs: this.#clock.now(), exitCode, reason }
    this.#state = 'exited'
    this.ports.clear()
    for (const queue of this.#followers) queue.end()
    this.#followers.clear()
    this.#ended.resolve()
    this.#onChange()
  }
}
