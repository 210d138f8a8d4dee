/** One Helm, run against a test's cluster as a person at a terminal would run it. */

import { join } from 'node:path'
import type { HelmBinary } from '../../../helm.ts'
import { type CommandResult, runCommand } from '../../kubectl/support/command.ts'
import type { Words } from '../../kubectl/support/kubectl.ts'

/** Where the charts of the cases lie: words of a command line name them relative to it. */
export const CHARTS = join(import.meta.dirname, '..', 'charts')

export interface Helm {
  readonly major: 3 | 4
  readonly namespace: string
  /** Runs to the end, whatever comes of it. */
  run(words: Words): Promise<CommandResult>
  /** Standard output of a command that must succeed. */
  ok(words: Words): Promise<string>
  /** Standard error of a command that must fail. */
  fails(words: Words): Promise<string>
  /** What a command with `-o json` says. */
  json<T>(words: string): Promise<T>
  /** The same Helm with other settings. */
  with(settings: Readonly<Record<string, string>>): Helm
  in(namespace: string): Helm
}

export interface HelmOptions {
  readonly binary: HelmBinary
  readonly namespace: string
  /** HOME, with the caches: a person's are neither read nor written. */
  readonly home: string
  readonly kubeconfig: string
  /** Variables of the environment, such as HELM_DRIVER. */
  readonly settings?: Readonly<Record<string, string>>
}

export function createHelm(options: HelmOptions): Helm {
  const { binary, namespace, home, kubeconfig, settings = {} } = options
  const env = { PATH: process.env.PATH, HOME: home, TMPDIR: home, KUBECONFIG: kubeconfig, ...settings }
  const parameters = (words: Words) => [
    ...(typeof words === 'string' ? words.split(' ') : words),
    '--namespace',
    namespace,
  ]
  const run = (words: Words) => runCommand(binary.path, parameters(words), { env, directory: CHARTS })
  const ok = async (words: Words) => {
    const result = await run(words)
    if (result.code === 0) return result.stdout
    throw new Error(told(binary, parameters(words), result))
  }
  return {
    major: binary.major,
    namespace,
    run,
    ok,
    async fails(words) {
      const result = await run(words)
      if (result.code !== 0) return result.stderr
      throw new Error(`this should have failed: ${told(binary, parameters(words), result)}`)
    },
    json: async (words) => JSON.parse(await ok(`${words} -o json`)),
    with: (more) => createHelm({ ...options, settings: { ...settings, ...more } }),
    in: (other) => createHelm({ ...options, namespace: other }),
  }
}

function told({ version }: HelmBinary, parameters: readonly string[], { code, stdout, stderr }: CommandResult): string {
  return `helm ${version} ${parameters.join(' ')}: exit code ${code}\n${stdout}\n${stderr}`
}
