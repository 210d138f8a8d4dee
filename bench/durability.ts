/**
 * Whether what was acknowledged is there after `kill -9`: without it the rows of writes would be void. Ten clients create
 * objects as fast as they can; in the midst of it every process of the side is killed; started again with the same
 * data, it has to have each object whose creation was answered with 201. The power cut, which takes what the kernel had
 * not written, is simulated by the tests of storage: README.md.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { openConnection } from './connection.ts'
import { configMap } from './objects.ts'
import type { Programs } from './prepare.ts'
import { anchor } from './sides/anchor.ts'
import type { RunningSide, Side } from './sides/side.ts'
import { t8s } from './sides/t8s.ts'

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps'
const CLIENTS = 10
const LOAD_MS = 1_500

/** One line for each side. Throws when something acknowledged is lost. */
export async function durabilityProofs(programs: Programs): Promise<readonly string[]> {
  const proofs: string[] = []
  for (const side of [t8s, anchor('default', programs)]) proofs.push(await proofOf(side))
  return proofs
}

async function proofOf(side: Side): Promise<string> {
  await using running = await side.start({})
  const acknowledged: string[] = []
  const writing = Array.from({ length: CLIENTS }, (_, client) => write(running, client, acknowledged))
  await sleep(LOAD_MS)
  await using again = await running.crash()
  await Promise.all(writing)
  const lost = await missingIn(again, acknowledged)
  if (lost.length > 0) throw new Error(`${side.name} has lost ${lost.length} of ${acknowledged.length}: ${lost[0]}`)
  return `${side.name}: killed with SIGKILL under load, it has all of ${acknowledged.length} acknowledged writes`
}

/** Until the server is gone. */
async function write({ access }: RunningSide, client: number, acknowledged: string[]): Promise<void> {
  using connection = await openConnection(access.credentials)
  for (let index = 0; ; index++) {
    const name = `map-${client}-${index}`
    try {
      const { status } = await connection.send({ method: 'POST', path: CONFIG_MAPS, body: configMap(name) })
      if (status !== 201) throw new Error(`${name}: ${status}`)
      acknowledged.push(name)
    } catch {
      return
    }
  }
}

/** Each is asked for by its name. */
async function missingIn({ access }: RunningSide, names: readonly string[]): Promise<readonly string[]> {
  using connection = await openConnection(access.credentials)
  const missing: string[] = []
  for (const name of names) {
    const { status } = await connection.send({ method: 'GET', path: `${CONFIG_MAPS}/${name}` })
    if (status !== 200) missing.push(name)
  }
  return missing
}
