/** F1, F2: a Deployment of many replicas on simulated nodes: up, rolled over, down. */

import { type Connection, openConnection } from '../connection.ts'
import { onSides } from '../on-sides.ts'
import type { Sample } from '../scenario.ts'
import { accountReady, until } from '../world.ts'
import { timed } from './measure.ts'

const NODES = 20
const REPLICAS = { quick: 200, full: 1_000 }
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments'
const PATH = `${DEPLOYMENTS}/web`

export const deployment = onSides({
  name: 'deployment',
  about: `F1, F2: a Deployment from 0 to 1,000 Running pods on ${NODES} simulated nodes, rolled over, and to 0`,
  wish: { nodes: NODES },
  async run(parts) {
    const replicas = parts.quick ? REPLICAS.quick : REPLICAS.full
    using connection = await openConnection(parts.side.access.credentials)
    await accountReady(connection)
    const step = async (work: () => Promise<void>): Promise<Sample> => {
      const { ms, cpuMs } = await timed(parts, work)
      return { ms, perSecond: (replicas / ms) * 1_000, cpuMs: cpuMs / replicas }
    }
    return {
      [`F1 Deployment 0 to ${replicas} Running`]: await step(() => bringUp(connection, replicas)),
      [`F2 rolling update of ${replicas}`]: await step(() => rollOver(connection, replicas)),
      [`F1 Deployment ${replicas} to 0`]: await step(() => takeDown(connection)),
    }
  },
})

async function bringUp(connection: Connection, replicas: number): Promise<void> {
  await send(connection, 'POST', DEPLOYMENTS, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: {
      replicas,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: { containers: [{ name: 'main', image: 'registry.example/web:1' }], terminationGracePeriodSeconds: 0 },
      },
    },
  })
  await until(connection, PATH, (text) => numberIn(text, 'readyReplicas') === replicas)
}

async function rollOver(connection: Connection, replicas: number): Promise<void> {
  const template = { metadata: { labels: { version: '2' } } }
  await send(connection, 'PATCH', PATH, { spec: { template } })
  const counts = ['updatedReplicas', 'readyReplicas', 'replicas']
  // The second generation is the new template's.
  const isDone = (text: string) =>
    numberIn(text, 'observedGeneration') === 2 && counts.every((field) => numberIn(text, field) === replicas)
  await until(connection, PATH, isDone)
}

async function takeDown(connection: Connection): Promise<void> {
  await send(connection, 'PATCH', PATH, { spec: { replicas: 0 } })
  const pods = '/api/v1/namespaces/default/pods?limit=1&labelSelector=app%3Dweb'
  await until(connection, pods, (text) => text.includes('"items":[]'))
}

async function send(connection: Connection, method: 'POST' | 'PATCH', path: string, body: object): Promise<void> {
  const contentType = method === 'POST' ? 'application/json' : 'application/merge-patch+json'
  const { status, body: answer } = await connection.send({ method, path, contentType, body: JSON.stringify(body) })
  if (status >= 300) throw new Error(`${method} ${path}: ${status} ${answer.toString().slice(0, 500)}`)
}

function statusOf(text: string): string {
  return text.slice(text.lastIndexOf('"status":{'))
}

function numberIn(text: string, field: string): number {
  return Number(new RegExp(`"${field}":(\\d+)`).exec(statusOf(text))?.[1] ?? 0)
}
