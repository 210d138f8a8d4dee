/** Runs the command line of this checkout against a data folder and kubeconfig files of its own. */

import { execFile } from 'node:child_process'
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
}

/** Disposing deletes every cluster that was made, and the folder. */
export function createCommandLine(): CommandLine {
  const directory = mkdtempSync(join(tmpdir(), 't8s-cli-'))
  const home = join(directory, 'home')
  const kubeconfig = join(directory, 'kubeconfig')
  const env = { PATH: process.env.PATH, HOME: directory, T8S_HOME: home, KUBECONFIG: kubeconfig }
  const run = (...words: readonly string[]): Promise<Outcome> =>
    new Promise((resolve) => {
      const child = execFile(process.execPath, [MAIN, ...words], { env }, (_, stdout, stderr) =>
        resolve({ code: child.exitCode ?? 1, stdout, stderr }),
      )
    })
  return {
    home,
    kubeconfig,
    run,
    async [Symbol.asyncDispose]() {
      await run('down', '--all')
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
