/** Folders and ports of a side that is started for a measurement. */

import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:https'
import { createServer } from 'node:net'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** On the disk where caches are: a temporary folder may be memory, which makes every write durable at once. */
export function temporaryFolder(): string {
  return mkdtempSync(join(homedir(), '.t8s-bench-'))
}

export function removeFolder(path: string): void {
  rmSync(path, { recursive: true, force: true })
}

export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  const ports: number[] = []
  for (const server of servers) {
    if (!server.listening) await once(server, 'listening')
    const address = server.address()
    if (address !== null && typeof address === 'object') ports.push(address.port)
  }
  await Promise.all(servers.map(async (server) => void (await once(server.close(), 'close'))))
  return ports
}

/** Between two looks while a side starts, in ms. */
const LOOK_MS = 5
const START_TIMEOUT_MS = 120_000

/** Resolves when `/readyz` answers 200. `assertRunning` throws when a process has ended. */
export async function untilReady(port: number, assertRunning: () => void): Promise<void> {
  const limit = performance.now() + START_TIMEOUT_MS
  while ((await readyz(port)) !== 200) {
    assertRunning()
    if (performance.now() > limit) throw new Error(`/readyz does not answer 200 after ${START_TIMEOUT_MS} ms`)
    await sleep(LOOK_MS)
  }
}

/** The status, or 0 where nothing answers yet. The certificate is not checked: its authority may be made meanwhile. */
function readyz(port: number): Promise<number> {
  return new Promise((resolve) => {
    const options = { host: '127.0.0.1', port, path: '/readyz', rejectUnauthorized: false, agent: false as const }
    const call = request(options, (response) => {
      response.resume()
      response.on('end', () => resolve(response.statusCode ?? 0))
    })
    call.on('error', () => resolve(0))
    call.end()
  })
}
