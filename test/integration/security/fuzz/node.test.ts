/**
 * Goal: the port of a node stays up and shut whatever comes. Method: seeded requests over real TLS, without a
 * credential and with the API server's own, which may do everything there: then nothing but the parsers protects it.
 */

import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { Agent, request as requestHttps } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { pods } from '../../../../src/apis/core/pod/definition.ts'
import { systemClock } from '../../../../src/base/clock.ts'
import { type Random, seededRandom } from '../../../../src/base/random.ts'
import { type Cluster, createCluster } from '../../../../src/cluster/cluster.ts'
import { resolveConfig } from '../../../../src/cluster/config.ts'
import { createEnvironment } from '../../../../src/cluster/environment.ts'
import { SYSTEM } from '../../../../src/cluster/identities.ts'
import { chance, mutatedText, ODD_TEXTS, pick } from '../../../support/fuzz/draw.ts'
import { drawUpgrade } from '../../../support/fuzz/headers.ts'
import { drawQuery } from '../../../support/fuzz/paths.ts'

const SEED = 20_261_124
const NODE = 't8s-fuzz-node-node-0'
const CONCURRENT = 16

let home: string
let cluster: Cluster
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 't8s-fuzz-node-'))
  const config = resolveConfig({
    ...{ home, name: 'fuzz-node', storage: 'memory', port: 0, nodes: 1, runtime: 'simulated' },
    ...{ podCidr: '10.227.0.0/16', serviceCidr: '10.228.0.0/16' },
  })
  cluster = await createCluster(config, createEnvironment({ logLevel: 'error', logDestination: 2, directory: home }))
  await cluster.ready
  const client = cluster.controlPlane.clientAs(SYSTEM)
  await client.of(pods).create({
    metadata: { name: 'web', namespace: 'default' },
    spec: { containers: [{ name: 'app', image: 'app:1' }] },
  })
  while ((await client.of(pods).get({ namespace: 'default', name: 'web' })).status?.phase !== 'Running')
    await systemClock.sleep(20)
})
afterAll(async () => {
  await cluster[Symbol.asyncDispose]()
  await rm(home, { recursive: true, force: true })
})

const ROOTS = [
  'exec',
  'attach',
  'portForward',
  'containerLogs',
  'logs',
  'run',
  'pods',
  'stats',
  'healthz',
  'metrics',
  '',
] as const

/** One that is granted, to see what follows. */
const GRANTED = '/exec/default/web/app?command=sh&output=1&error=1'

function drawPath(random: Random): string {
  if (chance(random, 0.1)) return GRANTED
  const place = ['default', 'web', 'app'].map((part) => (chance(random, 0.2) ? pick(random, ODD_TEXTS) : part))
  const path = `/${[pick(random, ROOTS), ...place].join('/')}`
  // What Node's own client would not send is in `sockets.test.ts`.
  const sendable = [...(chance(random, 0.3) ? mutatedText(random, path) : path)].filter(
    (one) => one > ' ' && one <= '~',
  )
  return `/${sendable.join('').replace(/^\/+/, '')}?${drawQuery(random).replace(/[^!-~]/g, '')}`
}

/** The status; 101 for a stream that was opened, which is closed again; undefined: the connection was ended. */
async function ask(agent: Agent, random: Random): Promise<number | undefined> {
  const upgrade = chance(random, 0.4) ? drawUpgrade(random, 'x') : []
  const sent = requestHttps({
    ...{ host: '127.0.0.1', port: cluster.nodes.running.get(NODE)?.port, servername: NODE, agent },
    ...{ method: pick(random, ['GET', 'GET', 'POST', 'PUT', 'DELETE']), path: drawPath(random) },
    headers: Object.fromEntries(upgrade.map(([name, value]) => [name, value.replace(/[^ -~]/g, '')])),
  }).end()
  const upgraded = once(sent, 'upgrade').then(([, socket]) => {
    socket.end(Buffer.from(Array.from({ length: 64 }, () => Math.floor(random.next() * 256))))
    socket.destroy()
    return 101
  })
  const answered = once(sent, 'response').then(async ([response]: IncomingMessage[]) => {
    response?.destroy()
    return response?.statusCode
  })
  return Promise.race([upgraded, answered]).catch(() => undefined)
}

async function feed(agent: Agent, count: number): Promise<ReadonlyMap<number | undefined, number>> {
  const random = seededRandom(SEED)
  const statuses = new Map<number | undefined, number>()
  let left = count
  const caller = async () => {
    while (left-- > 0) {
      const status = await ask(agent, random)
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
  }
  await Promise.all(Array.from({ length: CONCURRENT }, caller))
  agent.destroy()
  return statuses
}

const ca = () => cluster.controlPlane.authority.certificate

test(`500 requests from seed ${SEED} without a credential are refused`, { timeout: 120_000 }, async () => {
  expect(new Set((await feed(new Agent({ keepAlive: true, ca: ca() }), 500)).keys())).toEqual(new Set([400, 401]))
})

test(`1000 requests from seed ${SEED} of the API server leave the node as it was`, { timeout: 120_000 }, async () => {
  const file = (suffix: string) => readFile(join(home, 'fuzz-node', 'pki', `apiserver-kubelet-client.${suffix}`))
  const agent = new Agent({ keepAlive: true, ca: ca(), cert: await file('crt'), key: await file('key') })
  const statuses = [...(await feed(agent, 1_000)).keys()].filter((status) => status !== undefined)
  expect(statuses.filter((status) => status >= 500)).toEqual([])
  for (const status of [101, 200, 400, 404]) expect(statuses).toContain(status)
  const { status } = await cluster.controlPlane.clientAs(SYSTEM).of(pods).get({ namespace: 'default', name: 'web' })
  expect(status?.phase).toBe('Running')
})
