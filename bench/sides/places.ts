/** Folders and ports of a side that is started for a measurement, and when it is ready. */

import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:https'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort, type Program } from '../../conformance/peers/processes.ts'

/** On the disk where caches are: a temporary folder may be memory, which makes every write durable at once. */
export function temporaryFolder(): string {
  return mkdtempSync(join(homedir(), '.t8s-bench-'))
}

export function removeFolder(path: string): void {
  rmSync(path, { recursive: true, force: true })
}

/** Runs at the same time begin to look at different places. */
const FIRST_PORT = 21_000 + (process.pid % 40) * 10

export async function freePorts(count: number): Promise<readonly number[]> {
  const ports: number[] = []
  while (ports.length < count) ports.push(await freePort(FIRST_PORT, ports))
  return ports
}

/** Between two looks while a side starts, in ms. */
const LOOK_MS = 5
const START_TIMEOUT_MS = 120_000

/** Resolves when `/readyz` answers 200. Throws when one of the programs has ended. */
export async function untilReady(port: number, programs: readonly Program[]): Promise<void> {
  const limit = performance.now() + START_TIMEOUT_MS
  while ((await readyz(port)) !== 200) {
    for (const program of programs) program.assertRunning()
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
