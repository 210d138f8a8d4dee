/** What every command gets: the user's environment, the terminal, the time, and the flags that all commands share. */

import type { Clock } from '../base/clock.ts'
import { clusterDirectory, DEFAULT_NAME } from '../cluster/config.ts'
import type { Terminal } from './output/terminal.ts'
import { placesOf, type Variables } from './variables.ts'

export interface CommandContext {
  readonly variables: Variables
  readonly terminal: Terminal
  readonly clock: Clock
  readonly globals: Globals
  /** Aborts when the user or the system asks the command to end; the reason is `Interrupted`. */
  readonly interrupted: AbortSignal
}

export interface Globals {
  /** The cluster, where a command takes no NAME. */
  readonly cluster: string | undefined
  readonly namespace: string
  readonly output: OutputFormat
}

export type OutputFormat = 'text' | 'json' | 'yaml' | 'name' | 'wide'

/** Why a command ends early. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
  readonly exitCode: number

  constructor(signal: 'SIGINT' | 'SIGTERM') {
    super(`ended by ${signal}`)
    this.exitCode = signal === 'SIGINT' ? 130 : 143
  }
}

/** The cluster that is meant: the argument, the flag, `T8S_CLUSTER`, or the usual one. */
export function clusterName({ globals, variables }: CommandContext, argument: string | undefined): string {
  return argument ?? globals.cluster ?? variables.cluster ?? DEFAULT_NAME
}

export function directoryOf({ variables }: CommandContext, name: string): string {
  return clusterDirectory(name, placesOf(variables))
}

/** Prints a value as the user asked: `-o json`, `-o yaml`; anything else is the command's own text. */
export async function printValue({ terminal, globals }: CommandContext, value: object, text: () => string) {
  if (globals.output === 'json') terminal.print(`${JSON.stringify(value, undefined, 2)}\n`)
  else if (globals.output === 'yaml') terminal.print((await import('yaml')).stringify(value))
  else terminal.print(text())
}
