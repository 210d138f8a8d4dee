/**
 * `ip` and `nft` inside a network namespace: as root on Linux, through `nsenter`. Many lines go to one process, because
 * starting it costs more than all it does.
 */

import { spawn } from 'node:child_process'

/** A process of the host, whose network namespace is meant, or the host's own. */
export type Namespace = number | 'host'

export interface NamespaceCommands {
  /** Runs lines of `ip -batch` in order; the first that fails ends it and throws `CommandFailed`. */
  ip(namespace: Namespace, lines: readonly string[]): Promise<void>
  /** The JSON that `ip -json …` answers. */
  query(namespace: Namespace, words: readonly string[]): Promise<readonly unknown[]>
  /** Applies a ruleset as one transaction. */
  nft(namespace: Namespace, ruleset: string): Promise<void>
}

export class CommandFailed extends Error {
  override readonly name = 'CommandFailed'
}

/** Where the tools are on every distribution; nothing of the user's environment is passed on. */
const ENVIRONMENT = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' }

/** A command that hangs is killed and tried again by its caller; a table of thousands of rules takes a second. */
const COMMAND_MS_MAX = 60_000

/** A list of all interfaces of a node with 1,000 pods is about 1 MB. */
const OUTPUT_BYTES_MAX = 16_777_216

export const namespaceCommands: NamespaceCommands = {
  async ip(namespace, lines) {
    if (lines.length > 0) await runInNamespace(namespace, ['ip', '-4', '-batch', '-'], `${lines.join('\n')}\n`)
  },
  async query(namespace, words) {
    const output = await runInNamespace(namespace, ['ip', '-4', '-json', '-details', ...words], '')
    const answer: unknown = output.trim() === '' ? [] : JSON.parse(output)
    return Array.isArray(answer) ? answer : []
  },
  async nft(namespace, ruleset) {
    await runInNamespace(namespace, ['nft', '-f', '-'], ruleset)
  },
}

/** Its standard output. Throws `CommandFailed` when it ends with another code than 0. */
export function runInNamespace(namespace: Namespace, command: readonly string[], input: string): Promise<string> {
  const words = namespace === 'host' ? command : ['nsenter', '-t', String(namespace), '-n', '--', ...command]
  const [program = '', ...rest] = words
  return new Promise((resolve, reject) => {
    const child = spawn(program, rest, {
      env: ENVIRONMENT,
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: COMMAND_MS_MAX,
      killSignal: 'SIGKILL',
    })
    const output: Buffer[] = []
    const errors: Buffer[] = []
    let size = 0
    const collect = (target: Buffer[]) => (chunk: Buffer) => {
      size += chunk.length
      if (size <= OUTPUT_BYTES_MAX) target.push(chunk)
    }
    child.stdout.on('data', collect(output))
    child.stderr.on('data', collect(errors))
    child.on('error', (error) => reject(new CommandFailed(`${program}: ${error.message}`)))
    child.on('close', (code) => {
      if (code === 0 && size <= OUTPUT_BYTES_MAX) resolve(Buffer.concat(output).toString())
      else reject(new CommandFailed(`${words.join(' ')}: ${Buffer.concat(errors).toString().trim() || `code ${code}`}`))
    })
    // A program that fails early closes its input; its exit code tells why.
    child.stdin.on('error', () => {})
    child.stdin.end(input)
  })
}
