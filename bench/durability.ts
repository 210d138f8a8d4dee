/**
 * Whether what was acknowledged is there afterwards: without it the rows of writes would be void.
 *
 * SIGKILL: ten clients create objects as fast as they can; in the midst of it every process of the side is killed;
 * started again with the same data, it has to have each object whose creation was answered with 201.
 *
 * A power cut takes besides what the kernel was not told to write. What is asked of the kernel is counted: of writes one
 * after the other each has to wait for a sync of its own.
 */

import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { exists } from '../scripts/command.ts'
import { openConnection } from './connection.ts'
import { configMap } from './objects.ts'
import type { Programs } from './prepare.ts'
import { anchor } from './sides/anchor.ts'
import type { RunningSide, Side } from './sides/side.ts'
import { t8s } from './sides/t8s.ts'

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps'
const CLIENTS = 10
const LOAD_MS = 1_500
/** Until a tracer follows every thread. */
const ATTACHED_MS = 1_000

/** Lines for each side. Throws when something acknowledged is lost. */
export async function durabilityProofs(programs: Programs): Promise<readonly string[]> {
  const proofs: string[] = []
  for (const side of [t8s, anchor('default', programs)]) {
    await using running = await side.start({})
    proofs.push(`${side.name}: ${await syncProof(running)}`, `${side.name}: ${await killProof(side, running)}`)
  }
  return proofs
}

const SEQUENTIAL = 100

/** Watches the system calls, which slows them: nothing is measured meanwhile. */
async function syncProof({ access, figures }: RunningSide): Promise<string> {
  if (!exists('strace')) return 'whether each write waits for its sync was not looked at: there is no strace'
  using connection = await openConnection(access.credentials)
  const processes = figures.pids().flatMap((pid) => ['--attach', String(pid)])
  const calls = ['--follow-forks', '--trace=fdatasync,fsync', ...processes]
  const tracer = spawn('strace', calls, { stdio: ['ignore', 'ignore', 'pipe'] })
  const trace = text(tracer.stderr)
  await sleep(ATTACHED_MS)
  for (let index = 0; index < SEQUENTIAL; index++) {
    const body = configMap(`one-by-one-${index}`)
    const { status } = await connection.send({ method: 'POST', path: CONFIG_MAPS, body })
    if (status !== 201) throw new Error(`a write was refused: ${status}`)
  }
  tracer.kill('SIGINT')
  const syncs = (await trace).match(/\bf(?:data)?sync\(/g)?.length ?? 0
  if (syncs < SEQUENTIAL) throw new Error(`${SEQUENTIAL} writes, one after the other, had ${syncs} syncs`)
  return `${SEQUENTIAL} writes, one after the other, waited for ${syncs} syncs of the disk`
}

async function killProof(side: Side, running: RunningSide): Promise<string> {
  const acknowledged: string[] = []
  const writing = Array.from({ length: CLIENTS }, (_, client) => write(running, client, acknowledged))
  await sleep(LOAD_MS)
  await using again = await running.crash()
  await Promise.all(writing)
  const lost = await missingIn(again, acknowledged)
  if (lost.length > 0) throw new Error(`${side.name} has lost ${lost.length} of ${acknowledged.length}: ${lost[0]}`)
  return `killed with SIGKILL under load, it has all of ${acknowledged.length} acknowledged writes`
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
