/**
 * The process of a cluster: runs it until it is told to end, and tells what happens on the way. The same code runs in
 * the foreground and, in a session of its own, in the background.
 */

import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../base/clock.ts'
import type { LogLevel } from '../base/log.ts'
import { collectWhenQuiet, processHeap } from '../base/quiet-collection.ts'
import { changeState, readState, runOf } from './state.ts'

/** What a starting cluster tells. `seconds` since the process began to start it. */
export type RunEvent =
  | { readonly type: 'api'; readonly server: string; readonly seconds: number }
  | { readonly type: 'ready'; readonly nodes: readonly string[]; readonly seconds: number }
  | { readonly type: 'nodes-failed'; readonly message: string; readonly errorName: string }

export interface RunOptions {
  readonly directory: string
  readonly detached: boolean
  readonly clock: Clock
  readonly logLevel: LogLevel
  readonly onEvent: (event: RunEvent) => void
  /** Ends the cluster. */
  readonly signal: AbortSignal
}

/**
 * How long those who waited for the server have it to themselves, in ms: the parts of this process ask it for so much that
 * a first handshake would last until they are done.
 */
const FIRST_CALLERS_MS = 15

/** Resolves when the cluster has ended. What it made outlives it, except objects that were in memory only. */
export async function runCluster(options: RunOptions): Promise<void> {
  const { directory, clock, signal, detached } = options
  // Nobody waits for a cluster that is being ended.
  const tell = (event: RunEvent) => {
    if (!signal.aborted) options.onEvent(event)
  }
  const startedAt = clock.monotonic()
  const seconds = () => (clock.monotonic() - startedAt) / 1_000
  // Loaded only here: this is the whole cluster, and other commands answer without it.
  const [{ createCluster }, { createEnvironment }, state] = await Promise.all([
    import('../cluster/cluster.ts'),
    import('../cluster/environment.ts'),
    readState(directory),
  ])
  if (!state) throw new Error(`${directory} holds no cluster`)
  if (!detached) await rotateLog(directory)
  const { config } = state
  const environment = createEnvironment({ logLevel: options.logLevel, logDestination: logPath(directory), directory })
  {
    await using cluster = await createCluster(config, environment, () => clock.sleep(FIRST_CALLERS_MS))
    await changeState(directory, (found) => ({
      ...found,
      run: { ...runOf(process.pid), startedMs: clock.now(), detached },
    }))
    tell({ type: 'api', server: `https://${config.host}:${cluster.controlPlane.port}`, seconds: seconds() })
    cluster.ready.then(
      () => tell({ type: 'ready', nodes: [...cluster.nodes.running.keys()], seconds: seconds() }),
      (error: unknown) => tell({ type: 'nodes-failed', ...described(error) }),
    )
    collectWhenQuiet(clock, processHeap(), signal)
    await aborted(signal)
  }
  await changeState(directory, ({ run: _, ...rest }) => rest)
}

function described(error: unknown): { readonly message: string; readonly errorName: string } {
  if (error instanceof Error) return { message: error.message, errorName: error.name }
  return { message: String(error), errorName: '' }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

export function logPath(directory: string): string {
  return join(directory, 'log', 't8s.log')
}

/** Every start has a log of its own; the one before it is kept. */
export async function rotateLog(directory: string): Promise<void> {
  const path = logPath(directory)
  await rm(`${path}.1`, { force: true })
  await rename(path, `${path}.1`).catch(() => {})
}
