/** Runs the command line of this checkout against a data folder and kubeconfig files of its own. */

import { type ChildProcess, execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts')

export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface CommandLine extends AsyncDisposable {
  readonly home: string
  readonly kubeconfig: string
  run(...words: readonly string[]): Promise<Outcome>
  /** The same, ended with a signal once its talk matches. */
  runUntil(pattern: RegExp, signal: 'SIGINT' | 'SIGTERM', ...words: readonly string[]): Promise<Outcome>
}

/** Disposing deletes every cluster that was made, and the folder. */
export function createCommandLine(): CommandLine {
  const directory = mkdtempSync(join(tmpdir(), 't8s-cli-'))
  const home = join(directory, 'home')
  const kubeconfig = join(directory, 'kubeconfig')
  const env = { PATH: process.env.PATH, HOME: directory, T8S_HOME: home, KUBECONFIG: kubeconfig }
  const start = (words: readonly string[], onTalk: (child: ChildProcess, talk: string) => void): Promise<Outcome> =>
    new Promise((resolve) => {
      const child = execFile(process.execPath, [MAIN, ...words], { env }, (_, stdout, stderr) =>
        resolve({ code: child.exitCode ?? 1, stdout, stderr }),
      )
      child.stderr?.on('data', (talk: string) => onTalk(child, talk))
    })
  const run = (...words: readonly string[]) => start(words, () => {})
  return {
    home,
    kubeconfig,
    run,
    runUntil: (pattern, signal, ...words) =>
      start(words, (child, talk) => {
        if (pattern.test(talk)) child.kill(signal)
      }),
    async [Symbol.asyncDispose]() {
      await run('down', '--all')
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
