/** A container's log through the engine, line by line. The engine keeps and rotates it. */

import type { Readable } from 'node:stream'
import { type DockerEngine, isStatus, openBody } from './docker-engine.ts'
import { frames } from './docker-streams.ts'
import { linesOfFrames, linesOfTerminal } from './log-format.ts'
import { type LogLine, type LogOptions, RuntimeError } from './runtime.ts'

/** What upstream's kubelet keeps per container: 10 MiB, then four older files. */
export const LOG_DRIVER = { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '5' } }

export async function* containerLogs(
  { docker }: DockerEngine,
  id: string,
  options: LogOptions,
  signal: AbortSignal | undefined,
): AsyncGenerator<LogLine> {
  const query = {
    stdout: true,
    stderr: true,
    timestamps: true,
    follow: options.follow,
    tail: options.tailLines ?? 'all',
    ...(options.sinceMs !== undefined && { since: sinceText(options.sinceMs) }),
  }
  let body: Readable
  let tty: boolean
  try {
    tty = (await docker.getContainer(id).inspect()).Config.Tty
    body = await openBody(docker, `/containers/${id}/logs`, query, signal)
  } catch (error) {
    if (isStatus(error, 404)) throw new RuntimeError('NotFound', `container ${id} is not there`)
    throw error
  }
  try {
    yield* tty ? linesOfTerminal(body) : linesOfFrames(frames(body))
  } catch (error) {
    if (!signal?.aborted) throw error
  } finally {
    body.destroy()
  }
}

/** Seconds with nine decimals. */
function sinceText(sinceMs: number): string {
  const seconds = Math.floor(sinceMs / 1000)
  const milliseconds = Math.floor(sinceMs - seconds * 1000)
  return `${seconds}.${String(milliseconds).padStart(3, '0')}000000`
}
