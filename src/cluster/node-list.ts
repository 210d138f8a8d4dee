/**
 * The nodes that a cluster has, by name and kind, in its folder: what was created or deleted while it ran is so again
 * after the next start. Until something changes there is no file, and the configuration says it all.
 */

import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createTurns } from '../base/turns.ts'
import { type ClusterConfig, type NodeRuntime, nodeNameOf } from './config.ts'

export interface NodeEntry {
  readonly name: string
  readonly runtime: NodeRuntime
}

export interface NodeList {
  readonly entries: readonly NodeEntry[]
  /** Durable when it resolves. A node of this name is replaced. */
  add(entry: NodeEntry): Promise<void>
  remove(name: string): Promise<void>
}

export async function openNodeList(config: ClusterConfig): Promise<NodeList> {
  const path = join(config.directory, 'nodes.json')
  let entries = (await readEntries(path)) ?? entriesOf(config)
  const inTurn = createTurns()
  const change = (name: string, added: readonly NodeEntry[]): Promise<void> => {
    entries = [...entries.filter((entry) => entry.name !== name), ...added]
    const text = `${JSON.stringify(entries)}\n`
    return inTurn(async () => {
      await writeFile(`${path}.new`, text, { mode: 0o600 })
      await rename(`${path}.new`, path)
    })
  }
  return {
    get entries() {
      return entries
    },
    add: (entry) => change(entry.name, [entry]),
    remove: (name) => change(name, []),
  }
}

/** The nodes that a new cluster has. */
export function entriesOf(config: ClusterConfig): readonly NodeEntry[] {
  return Array.from({ length: config.nodes + config.simulatedNodes }, (_, index) => ({
    name: nodeNameOf(config, index),
    runtime: index < config.nodes ? config.runtime : 'simulated',
  }))
}

async function readEntries(path: string): Promise<readonly NodeEntry[] | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as readonly NodeEntry[]
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
