/**
 * What a flood of one user costs others: 500 requests at a time of one user, and meanwhile now and then one of another
 * user of the same level, and one of a node. Prints a line per figure; `node bench/flow-control.ts`. Server, flooder
 * and the callers that are measured are processes of their own, so that no queue of a client is taken for the server's.
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request } from 'node:https'
import { performance } from 'node:perf_hooks'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { configMaps } from '../src/apis/core/config-map.ts'
import { ADMINISTRATORS_GROUP } from '../src/cluster/bootstrap-roles.ts'
import { SYSTEM } from '../src/cluster/identities.ts'
import { openControlPlane } from '../test/support/control-plane.ts'
import { percentile } from './statistics.ts'

const PARALLEL = 500
const OBJECTS = 400
const OBJECT_BYTES = 400
const MEASURED_MS = 5_000
/** Between two requests of a caller that is measured. */
const PAUSE_MS = 20
/** Limits of levels follow demand after ten seconds. */
const ADJUSTED_MS = 12_000
const OBJECT = '/api/v1/namespaces/default/configmaps/object-1'
const LIST = '/api/v1/namespaces/default/configmaps'

interface Caller {
  readonly port: number
  readonly ca: string
  readonly certificate: string
  readonly key: string
}

type Callers = Readonly<Record<'flooder' | 'other' | 'node', Caller>>

/** Serves until it is ended; its first line says who may call. */
async function serve(): Promise<void> {
  const plane = await openControlPlane()
  const { port, authority, clientAs } = plane.controlPlane
  for (let index = 0; index < OBJECTS; index++)
    await clientAs(SYSTEM)
      .of(configMaps)
      .create({
        metadata: { namespace: 'default', name: `object-${index}` },
        data: { value: 'x'.repeat(OBJECT_BYTES) },
      })
  const callerOf = async (name: string, group: string): Promise<Caller> => {
    const { certificate, key } = await plane.user(name, group)
    return { port, ca: authority.certificate, certificate, key }
  }
  const callers: Callers = {
    flooder: await callerOf('flooder', ADMINISTRATORS_GROUP),
    other: await callerOf('other', ADMINISTRATORS_GROUP),
    node: await callerOf('system:node:node-1', 'system:nodes'),
  }
  console.log(JSON.stringify(callers))
}

function agentOf({ ca, certificate, key }: Caller, maxSockets: number): Agent {
  return new Agent({ keepAlive: true, maxSockets, ca, cert: certificate, key })
}

/** Resolves with the status when the answer has been read. */
function ask({ port }: Caller, agent: Agent, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, agent }, (response) => {
      response.resume()
      response.once('end', () => resolve(response.statusCode ?? 0))
    })
    sent.once('error', reject)
    sent.end()
  })
}

/** Asks until it is ended. */
function flood(caller: Caller, path: string): void {
  const agent = agentOf(caller, PARALLEL)
  const keepAsking = async () => {
    for (;;) await ask(caller, agent, path).catch(() => 0)
  }
  for (let index = 0; index < PARALLEL; index++) void keepAsking()
}

async function measure(what: string, callers: Callers): Promise<void> {
  const asked = [
    ['another user', callers.other, OBJECT],
    ['a node', callers.node, '/api/v1/nodes/node-1'],
  ] as const
  const lines = asked.map(async ([who, caller, path]) => {
    const agent = agentOf(caller, 1)
    const latencies: number[] = []
    const until = performance.now() + MEASURED_MS
    while (performance.now() < until) {
      const sentAt = performance.now()
      await ask(caller, agent, path)
      latencies.push(performance.now() - sentAt)
      await sleep(PAUSE_MS)
    }
    agent.destroy()
    latencies.sort((left, right) => left - right)
    const [p50, p99] = [0.5, 0.99].map((part) => percentile(latencies, part).toFixed(1).padStart(8))
    return `${what.padEnd(28)} ${who.padEnd(13)} p50 ${p50} ms   p99 ${p99} ms`
  })
  for (const line of await Promise.all(lines)) console.log(line)
}

const self = (...role: readonly string[]) =>
  spawn(process.execPath, [import.meta.filename, ...role], { stdio: ['ignore', 'pipe', 'inherit'] })

async function compare(): Promise<void> {
  const server = self('serve')
  const [line] = await once(createInterface(server.stdout), 'line')
  const callers = JSON.parse(String(line)) as Callers
  await measure('nobody else', callers)
  for (const [what, path] of [
    ['a flood of gets', OBJECT],
    ['a flood of lists', LIST],
  ] as const) {
    const flooder = self('flood', JSON.stringify(callers.flooder), path)
    await sleep(MEASURED_MS)
    await measure(what, callers)
    await sleep(ADJUSTED_MS)
    await measure(`${what}, adjusted`, callers)
    flooder.kill()
    await once(flooder, 'close')
  }
  server.kill()
}

const [role, caller = '', path = ''] = process.argv.slice(2)
if (role === 'serve') await serve()
else if (role === 'flood') flood(JSON.parse(caller) as Caller, path)
else await compare()
