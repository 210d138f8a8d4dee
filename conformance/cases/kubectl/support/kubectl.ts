/** Every kubectl on this machine, run against a test's cluster as a person at a terminal would run it. */

import { readdirSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { builtProgram, UPSTREAM_VERSION } from '../../../upstream.ts'
import { type CommandOptions, type CommandResult, type RunningCommand, runCommand, startCommand } from './command.ts'
import { startTerminal, type Terminal } from './terminal.ts'

export interface KubectlBinary {
  /** Such as `1.33`; `PATH` for the one that is simply called kubectl, where it stands alone. */
  readonly version: string
  readonly path: string
}

/** Oldest first: those beside the one on PATH under names as `kubectl.1.27`, and upstream's own, where it was built. */
export function kubectlBinaries(): readonly KubectlBinary[] {
  const built = builtProgram('kubectl')
  const upstream = built === undefined ? [] : [{ version: minorVersionOf(UPSTREAM_VERSION), path: built }]
  return [...installedBinaries().filter(({ version }) => version !== upstream[0]?.version), ...upstream]
}

function installedBinaries(): readonly KubectlBinary[] {
  const found = onPath('kubectl')
  if (found === undefined) return []
  const folder = dirname(realpathSync(found))
  const versions = readdirSync(folder).flatMap((file) => /^kubectl\.(1\.\d+)$/.exec(file)?.[1] ?? [])
  if (versions.length === 0) return [{ version: 'PATH', path: found }]
  const minor = (version: string) => Number(version.split('.')[1])
  return versions
    .sort((left, right) => minor(left) - minor(right))
    .map((version) => ({ version, path: join(folder, `kubectl.${version}`) }))
}

/** `v1.36.3` → `1.36`. */
function minorVersionOf(release: string): string {
  return release.slice(1).split('.').slice(0, 2).join('.')
}

function onPath(program: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(':')
  return folders.map((folder) => join(folder, program)).find((path) => isFile(path))
}

function isFile(path: string): boolean {
  try {
    return readdirSync(dirname(path)).includes(path.slice(dirname(path).length + 1))
  } catch {
    return false
  }
}

/** A command line after `kubectl`: words separated by single spaces, or words that hold spaces themselves. */
export type Words = string | readonly string[]

export interface Kubectl {
  readonly version: string
  readonly namespace: string
  /** Runs to the end, whatever comes of it. */
  run(words: Words, options?: CommandOptions): Promise<CommandResult>
  /** Standard output of a command that must succeed. */
  ok(words: Words, options?: CommandOptions): Promise<string>
  /** Standard error of a command that must fail. */
  fails(words: Words, options?: CommandOptions): Promise<string>
  /** `get -o jsonpath`. */
  field(object: string, path: string): Promise<string>
  /** `apply -f -`, of YAML or JSON. */
  apply(manifests: string): Promise<string>
  start(words: Words, options?: CommandOptions): RunningCommand
  /** Runs in a terminal of its own. */
  terminal(words: Words): Promise<Terminal>
  /** The same kubectl in another namespace. */
  in(namespace: string): Kubectl
}

export interface KubectlOptions {
  readonly binary: KubectlBinary
  readonly namespace: string
  /** Its HOME and place for files: caches and preferences of the person are neither read nor written. */
  readonly home: string
  readonly kubeconfig: string
}

export function createKubectl(options: KubectlOptions): Kubectl {
  const { binary, namespace, home, kubeconfig } = options
  const env = { PATH: process.env.PATH, HOME: home, TMPDIR: home, KUBECONFIG: kubeconfig, TERM: 'xterm' }
  const parameters = (words: Words) => [
    '--namespace',
    namespace,
    ...(typeof words === 'string' ? words.split(' ') : words),
  ]
  const run = (words: Words, given: CommandOptions = {}) =>
    runCommand(binary.path, parameters(words), { ...given, env: { ...env, ...given.env } })
  const ok = async (words: Words, given?: CommandOptions) => {
    const result = await run(words, given)
    if (result.code !== 0) throw new Error(told(binary, parameters(words), result))
    return result.stdout
  }
  return {
    version: binary.version,
    namespace,
    run,
    ok,
    async fails(words, given) {
      const result = await run(words, given)
      if (result.code === 0) throw new Error(`this should have failed: ${told(binary, parameters(words), result)}`)
      return result.stderr
    },
    field: (object, path) => ok(['get', ...object.split(' '), '-o', `jsonpath=${path}`]),
    apply: (manifests) => ok('apply -f -', { input: manifests }),
    start: (words, given = {}) =>
      startCommand(binary.path, parameters(words), { ...given, env: { ...env, ...given.env } }),
    terminal: (words) => startTerminal([binary.path, ...parameters(words)], { env, directory: home }),
    in: (other) => createKubectl({ ...options, namespace: other }),
  }
}

function told({ version }: KubectlBinary, parameters: readonly string[], result: CommandResult): string {
  return `kubectl ${version} ${parameters.join(' ')}: exit code ${result.code}\n${result.stdout}\n${result.stderr}`
}
