/** A program of the other side: its output in a file, stopped by its id and nothing else. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'

export interface ProgramProcess {
  readonly pid: number
  /** Throws what the program said last when it has ended, which none does by itself. */
  assertRunning(): void
  stop(signal: NodeJS.Signals): Promise<void>
}

export interface ProgramStart {
  readonly program: string
  readonly flags: readonly string[]
  readonly log: string
  readonly environment?: Readonly<Record<string, string>>
}

/** A program that does not end by itself after this long is killed. */
const STOP_GRACE_MS = 5_000

export function startProcess({ program, flags, log, environment = {} }: ProgramStart): ProgramProcess {
  const output = openSync(log, 'a')
  const child = spawn(program, flags, { stdio: ['ignore', output, output], env: { ...process.env, ...environment } })
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null
  return {
    pid: child.pid ?? 0,
    assertRunning() {
      if (hasEnded()) throw new Error(`${basename(program)} has ended: ${readFileSync(log, 'utf8').slice(-2_000)}`)
    },
    async stop(signal) {
      if (hasEnded()) return
      const exit = once(child, 'exit')
      child.kill(signal)
      const kill = setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS)
      await exit
      clearTimeout(kill)
    },
  }
}
