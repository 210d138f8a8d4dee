/** Whether Docker nodes can be had here, asked without the Docker library: it costs more than all of starting. */

import { request } from 'node:http'
import { dockerUnavailable, Failure } from './failure.ts'

/** How long an engine may take to answer a ping, in ms. */
const PING_MS = 5_000

/** What the engine says of itself, or why there is none. */
export type DockerAnswer =
  | { readonly version: string /** The engine's time; NaN: it tells none. */; readonly timeMs: number }
  | { readonly problem: string }

export function askDocker(socketPath: string): Promise<DockerAnswer> {
  return new Promise((resolve) => {
    const fail = (error: Error) => resolve({ problem: problemText(error) })
    const call = request({ socketPath, path: '/version', timeout: PING_MS }, async (response) => {
      const chunks: Uint8Array[] = []
      try {
        for await (const chunk of response) chunks.push(chunk)
        const { Version } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { readonly Version?: unknown }
        resolve(
          typeof Version === 'string'
            ? { version: Version, timeMs: Date.parse(response.headers.date ?? '') }
            : { problem: 'what answers is no Docker Engine' },
        )
      } catch (error) {
        fail(error instanceof Error ? error : new Error(String(error)))
      }
    })
    call.on('timeout', () => call.destroy(new Error(`no answer for ${PING_MS / 1_000} s`)))
    call.on('error', fail)
    call.end()
  })
}

function problemText(error: Error): string {
  const code = 'code' in error ? error.code : undefined
  if (code === 'ENOENT') return 'there is no such socket'
  if (code === 'ECONNREFUSED') return 'nobody listens there'
  return code === 'EACCES' ? 'permission denied' : error.message
}

/** Why nodes on Docker are not possible here; undefined: they are. */
export async function dockerObstacle(socketPath: string): Promise<Failure | undefined> {
  const answer = await askDocker(socketPath)
  if ('problem' in answer)
    return new Failure(dockerUnavailable(`Docker does not answer at unix://${socketPath} (${answer.problem})`))
  if (process.platform === 'linux' && process.getuid?.() === 0) return undefined
  return new Failure({
    reason: 'RootRequired',
    message: 'Nodes on Docker need root on Linux: their networks are made with ip and nft.',
    next: [
      ['sudo t8s up', 'with Docker, as root'],
      ['t8s up --simulated', 'no root needed, pods are simulated'],
    ],
  })
}
