/**
 * `ip` and `nft` inside a network namespace: as root on Linux, through `nsenter`. Many lines go to one process, because
 * starting it costs more than all it does.
 */

import { messageOf } from '../../base/error-text.ts'
import { createCommandShells } from './command-shells.ts'

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

const shells = createCommandShells()

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
export async function runInNamespace(namespace: Namespace, command: readonly string[], input: string): Promise<string> {
  const words = namespace === 'host' ? command : ['nsenter', '-t', String(namespace), '-n', '--', ...command]
  const { code, output, errors } = await shells.run(words, input).catch((error: unknown) => {
    throw new CommandFailed(`${words.join(' ')}: ${messageOf(error)}`)
  })
  if (code !== 0) throw new CommandFailed(`${words.join(' ')}: ${errors.trim() || `code ${code}`}`)
  return output
}
