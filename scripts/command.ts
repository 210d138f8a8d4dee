/** Commands of other programs, for the project's scripts. */

import { type SpawnSyncOptions, spawnSync } from 'node:child_process'

export interface CommandResult {
  readonly code: number
  readonly output: string
}

/** Runs to the end and gives what was printed. A command that does not exist has code 127. */
export function capture(command: string, parameters: readonly string[], options: SpawnSyncOptions = {}): CommandResult {
  const result = spawnSync(command, [...parameters], { ...options, encoding: 'utf8' })
  if (result.error) return { code: 127, output: result.error.message }
  return { code: result.status ?? 1, output: `${result.stdout}${result.stderr}` }
}

/** Runs to the end on this terminal. */
export function show(command: string, parameters: readonly string[], options: SpawnSyncOptions = {}): number {
  const result = spawnSync(command, [...parameters], { stdio: ['ignore', 'inherit', 'inherit'], ...options })
  return result.status ?? 1
}

export function exists(command: string): boolean {
  return capture('sh', ['-c', `command -v ${command}`]).code === 0
}

/** Says what a script is about to do, on standard error. */
export function say(message: string): void {
  process.stderr.write(`t8s: ${message}\n`)
}
