/**
 * Clusters in the background: the program starts itself anew in a session of its own, and listens to it over a channel
 * until the cluster is up. Both ends of that channel are here.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Clock } from '../base/clock.ts'
import { every } from '../base/clock.ts'
import { RUN_COMMAND } from './background-command.ts'
import { Failure, type FailureText, failureOf } from './failure.ts'
import { logPath, type RunEvent, rotateLog } from './run.ts'
import { isAlive, type Run, runOf } from './state.ts'

type Message = RunEvent | { readonly type: 'failed'; readonly failure: FailureText }

export interface Background {
  readonly run: Pick<Run, 'pid' | 'ticks'>
  /** Resolves when the API answers; rejects with what the process says before it ends. */
  readonly server: Promise<string>
  /** Resolves when the nodes are ready. */
  readonly nodes: Promise<Extract<RunEvent, { type: 'ready' }>>
  /** From now on it lives without us. */
  release(): void
}

export async function startInBackground(
  directory: string,
  verbosity: number,
  onEvent: (event: RunEvent) => void,
): Promise<Background> {
  await rotateLog(directory)
  mkdirSync(dirname(logPath(directory)), { recursive: true, mode: 0o700 })
  const log = openSync(logPath(directory), 'a', 0o600)
  const program = process.argv[1] ?? ''
  const child = spawn(
    process.execPath,
    [...process.execArgv, program, RUN_COMMAND, directory, '-v', String(verbosity)],
    {
      cwd: directory,
      detached: true,
      stdio: ['ignore', log, log, 'ipc'],
    },
  )
  closeSync(log)
  return follow(child, directory, onEvent)
}

function follow(child: ChildProcess, directory: string, onEvent: (event: RunEvent) => void): Background {
  const api = Promise.withResolvers<string>()
  const ready = Promise.withResolvers<Extract<RunEvent, { type: 'ready' }>>()
  const fail = (failure: Failure) => {
    api.reject(failure)
    ready.reject(failure)
  }
  // Each is waited for only some of the time.
  api.promise.catch(() => {})
  ready.promise.catch(() => {})
  child.on('message', (message) => {
    const event = message as Message
    if (event.type === 'failed') return fail(new Failure(event.failure))
    onEvent(event)
    if (event.type === 'api') api.resolve(event.server)
    else if (event.type === 'ready') ready.resolve(event)
    else ready.reject(nodesFailure(event))
  })
  child.on('error', (error) => fail(failureOf(error)))
  child.on('exit', (code, signal) => fail(endedEarly(directory, code === null ? String(signal) : `code ${code}`)))
  return {
    run: runOf(child.pid ?? 0),
    server: api.promise,
    nodes: ready.promise,
    release() {
      if (child.connected) child.disconnect()
      child.unref()
    },
  }
}

export function nodesFailure({ message, errorName }: Extract<RunEvent, { type: 'nodes-failed' }>): Failure {
  return failureOf(Object.assign(new Error(message), { name: errorName }))
}

/** Lines of the log that an unforeseen end is shown with. */
const LAST_LINES = 3

function endedEarly(directory: string, how: string): Failure {
  const lines = textOf(logPath(directory)).trimEnd().split('\n').slice(-LAST_LINES)
  return new Failure({
    reason: 'StartFailed',
    message: `The cluster's process ended while it started (${how}).`,
    detail: lines.map((line) => line.slice(0, 200)).join('\n  '),
    next: [[`less ${logPath(directory)}`, 'all it said']],
  })
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** The other end: tells the process that started this one, as long as it listens. */
export function tellParent(message: Message): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => {})
}

/** The channel keeps this process alive no longer than its cluster does. */
export function detachFromParent(): void {
  process.channel?.unref()
}

/** How long a cluster may take to end before it is killed, in ms: drains, agents, the store's last writes. */
const STOP_MS = 30_000
const LOOK_MS = 25

/** Asks the process to end, and sees that it does. True: it had to be killed. */
export async function endProcess(run: Pick<Run, 'pid' | 'ticks'>, clock: Clock): Promise<boolean> {
  if (!isAlive(run)) return false
  process.kill(run.pid, 'SIGTERM')
  if (await endsWithin(run, clock, STOP_MS)) return false
  process.kill(run.pid, 'SIGKILL')
  await endsWithin(run, clock, STOP_MS)
  return true
}

async function endsWithin(run: Pick<Run, 'pid' | 'ticks'>, clock: Clock, ms: number): Promise<boolean> {
  const end = clock.monotonic() + ms
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const stop = new AbortController()
  every(clock, LOOK_MS, stop.signal, () => {
    const dead = !isAlive(run)
    if (!dead && clock.monotonic() < end) return
    stop.abort()
    resolve(dead)
  })
  return promise
}
