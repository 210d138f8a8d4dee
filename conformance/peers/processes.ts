/** Programs that are started for a comparison: their output in a file, stopped by their id and nothing else. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { basename } from 'node:path'
import { systemClock } from '../../src/base/clock.ts'

/** A program that does not end by itself after this long is killed. */
const STOP_GRACE_MS = 5_000
const POLL_MS = 50

/** Of a log: where it says why its program has ended. */
const LAST_CHARACTERS = 2_000

export interface Program extends AsyncDisposable {
  readonly pid: number
  /** Throws what the program said last when it has ended, which none does by itself. */
  assertRunning(): void
  /** Resolves when it has ended; it is killed when it does not end by itself. */
  stop(signal: NodeJS.Signals): Promise<void>
}

export interface ProgramOptions {
  /** Besides this process's own. */
  readonly environment?: Readonly<Record<string, string>>
  /** Where alone it may run, as `taskset` names processors: `0-1`. */
  readonly processors?: string | undefined
}

export function startProgram(
  program: string,
  args: readonly string[],
  logFile: string,
  { environment = {}, processors }: ProgramOptions = {},
): Program {
  const log = openSync(logFile, 'a')
  const [command = program, ...words] = pinned([program, ...args], processors)
  const child = spawn(command, words, { stdio: ['ignore', log, log], env: { ...process.env, ...environment } })
  closeSync(log)
  child.on('error', () => undefined)
  return {
    pid: child.pid ?? 0,
    assertRunning() {
      if (!hasEnded(child)) return
      throw new Error(`${basename(program)} has ended: ${readFileSync(logFile, 'utf8').slice(-LAST_CHARACTERS)}`)
    },
    stop: (signal) => stop(child, signal),
    [Symbol.asyncDispose]: () => stop(child, 'SIGTERM'),
  }
}

/** The command, on these processors alone. */
export function pinned(command: readonly string[], processors: string | undefined): readonly string[] {
  return processors === undefined ? command : ['taskset', '--cpu-list', processors, ...command]
}

function hasEnded({ exitCode, signalCode, pid }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null || pid === undefined
}

async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (hasEnded(child)) return
  const ended = once(child, 'exit')
  child.kill(signal)
  const kill = systemClock.after(STOP_GRACE_MS, () => child.kill('SIGKILL'))
  await ended
  kill.cancel()
}

/** Asks until the answer is true. Throws when the program has ended or, with the last reason, when it takes too long. */
export async function until(program: Program, timeoutMs: number, ask: () => Promise<boolean>): Promise<void> {
  const end = systemClock.monotonic() + timeoutMs
  let reason = ''
  while (systemClock.monotonic() < end) {
    program.assertRunning()
    try {
      if (await ask()) return
    } catch (error) {
      reason = `: ${String(error)}`
    }
    await systemClock.sleep(POLL_MS)
  }
  throw new Error(`the program does not answer after ${timeoutMs} ms${reason}`)
}

/** The first port of this machine from `first` on that nobody listens on, and that is not `taken`. */
export async function freePort(first: number, taken: readonly number[] = []): Promise<number> {
  for (let port = first; port < first + PORTS_TRIED_MAX; port++)
    if (!taken.includes(port) && (await isFree(port))) return port
  throw new Error(`no port is free from ${first} on`)
}

/** Comparisons that run at the same time on one machine are few. */
const PORTS_TRIED_MAX = 100

function isFree(port: number): Promise<boolean> {
  const server = createServer()
  return new Promise((resolve) => {
    server.on('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
