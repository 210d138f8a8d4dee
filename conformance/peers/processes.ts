/** Programs that are started for a comparison: their output in a file, stopped by their id and nothing else. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync } from 'node:fs'
import { createServer } from 'node:net'
import { systemClock } from '../../src/base/clock.ts'

/** A program that does not end by itself after this long is killed. */
const STOP_GRACE_MS = 5_000
const POLL_MS = 50

export interface Program extends AsyncDisposable {
  /** Throws when the program has ended, which none does by itself. */
  assertRunning(): void
}

export function startProgram(program: string, args: readonly string[], logFile: string): Program {
  const log = openSync(logFile, 'w')
  const child = spawn(program, args, { stdio: ['ignore', log, log] })
  child.on('error', () => undefined)
  return {
    assertRunning: () => {
      if (hasEnded(child)) throw new Error(`${program} has ended: see its log`)
    },
    [Symbol.asyncDispose]: () => stop(child),
  }
}

function hasEnded({ exitCode, signalCode, pid }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null || pid === undefined
}

async function stop(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
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
