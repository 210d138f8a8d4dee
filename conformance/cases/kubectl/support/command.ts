/** Other people's programs: run to their end, or kept running with their output read and their input written. */

import { type ChildProcess, spawn } from 'node:child_process'
import { eventually } from './eventually.ts'

/** A command that takes longer hangs, and fails its test. */
const COMMAND_MS_MAX = 120_000

export interface CommandOptions {
  readonly input?: string | Buffer
  readonly env?: NodeJS.ProcessEnv
  readonly directory?: string
  /** A command that takes longer is ended. */
  readonly msMax?: number
}

export interface CommandResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** A running program. Disposing kills it with everything it started. */
export interface RunningCommand extends AsyncDisposable {
  readonly stdout: () => string
  readonly stderr: () => string
  /** Resolves when standard output, from its start, matches. */
  prints(pattern: string | RegExp): Promise<void>
  write(text: string | Buffer): void
  endInput(): void
  kill(signal: NodeJS.Signals): void
  /** The exit code; 128 + 15 or so where a signal ended it. */
  readonly exit: Promise<number>
}

export async function runCommand(
  program: string,
  parameters: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  await using command = startCommand(program, parameters, options)
  if (options.input !== undefined) command.write(options.input)
  command.endInput()
  const code = await command.exit
  return { code, stdout: command.stdout(), stderr: command.stderr() }
}

export function startCommand(
  program: string,
  parameters: readonly string[],
  { env, directory, msMax = COMMAND_MS_MAX }: CommandOptions = {},
): RunningCommand {
  // A process group of its own: what the program starts ends with it.
  const child = spawn(program, parameters, { env: env ?? process.env, cwd: directory, detached: true })
  const outputs = { stdout: collect(child.stdout), stderr: collect(child.stderr) }
  const exit = exitOf(child)
  // Who closes early need not be told.
  child.stdin.on('error', () => {})
  const limit = setTimeout(() => killGroup(child, 'SIGKILL'), msMax)
  const told = () => `${program} ${parameters.join(' ')}\n${outputs.stdout()}\n${outputs.stderr()}`
  return {
    ...outputs,
    exit,
    async prints(pattern) {
      await eventually(() => {
        const text = outputs.stdout()
        const matches = typeof pattern === 'string' ? text.includes(pattern) : pattern.test(text)
        if (!matches) throw new Error(`no ${String(pattern)} in the output of ${told()}`)
      })
    },
    write: (text) => void child.stdin.write(text),
    endInput: () => void child.stdin.end(),
    kill: (signal) => killGroup(child, signal),
    async [Symbol.asyncDispose]() {
      clearTimeout(limit)
      killGroup(child, 'SIGKILL')
      await exit
    },
  }
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  return () => Buffer.concat(chunks).toString()
}

function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve(code ?? (signal === 'SIGKILL' ? 137 : 143)))
  })
}

function killGroup({ pid, exitCode, signalCode }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined || exitCode !== null || signalCode !== null) return
  try {
    process.kill(-pid, signal)
  } catch {
    // It ended between the look and the kill.
  }
}
