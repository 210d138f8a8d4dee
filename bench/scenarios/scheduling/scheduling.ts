/** G1: pods created as fast as 50 clients can, until the last one is bound; nodes are objects without kubelets. */

import { setTimeout as sleep } from 'node:timers/promises'
import { type Connection, openConnection } from '../../connection.ts'
import type { RequestTemplate } from '../../generator.ts'
import { GOALS } from '../../goals.ts'
import { node } from '../../objects.ts'
import { API_TUNINGS, BEST_TUNING, onSides } from '../../on-sides.ts'
import type { Sample, Samples, Scenario, ScenarioParts } from '../../scenario.ts'
import { accountReady, untilNone } from '../../world.ts'
import { prepared, timed } from '../measure.ts'
import { churn } from './churn.ts'
import { FAMILIES, type Family, HIGH_PRIORITY, LOW_CPU } from './families.ts'
import { placementOf } from './placement.ts'

const CREATORS = 50
const PODS = '/api/v1/namespaces/default/pods'
const UNBOUND = `${PODS}?limit=1&labelSelector=color%3Dgreen&fieldSelector=spec.nodeName%3D`
/** Of an answer, in a message. */
const SHOWN = 300
/** Pods of the first kind that are bound before anything counts. */
const WARM_UP = 1_000
/** After the pods of one family have gone, until a scheduler has seen it, in ms. */
const SETTLE_MS = 500

/** As shipped the other side binds 50 pods a second and no more, whatever is asked: its limit for requests. */
export const scheduling: readonly Scenario[] = [
  { nodes: 1_000, tunings: API_TUNINGS, wanted: FAMILIES },
  // The best setup for 1,000 nodes; filling 5,000 for preemption takes longer than all else.
  { nodes: 5_000, tunings: BEST_TUNING, wanted: FAMILIES.filter(({ preempts }) => preempts !== true) },
].map(({ nodes, tunings, wanted }) =>
  onSides({
    name: `scheduling-${nodes}`,
    about: `G1: pods of ${wanted.length} kinds on ${nodes} nodes until the last is bound`,
    wish: { schedulerOnly: true },
    tunings,
    run: (parts) => families(parts, nodes, wanted),
  }),
)

/** One after the other on the same nodes, each with the pods of the last one gone. */
export async function families(parts: ScenarioParts, nodes: number, wanted: readonly Family[]): Promise<Samples> {
  using connection = await openConnection(parts.side.access.credentials)
  await accountReady(connection)
  await prepared(parts, { method: 'POST', path: '/api/v1/nodes', body: node('node-{i}') }, nodes)
  const rows: Record<string, Sample> = {}
  const measured = async (family: Family) => {
    await prepared(parts, signOfLife(), nodes)
    const sample = await drain(parts, connection, family, nodes)
    await clear(connection)
    return sample
  }
  for (const family of FAMILIES.slice(0, 1)) await measured({ ...family, pods: WARM_UP })
  for (const family of wanted) {
    const row = `G1 ${family.name}, ${nodes} nodes`
    if (parts.isFirst || GOALS.some((goal) => goal.row === row)) rows[row] = await measured(family)
  }
  return rows
}

async function clear(connection: Connection): Promise<void> {
  const { status, body } = await connection.send({ method: 'DELETE', path: `${PODS}?gracePeriodSeconds=0` })
  if (status !== 200) throw new Error(`the pods were not deleted: ${status} ${body.toString().slice(0, SHOWN)}`)
  await untilNone(connection, `${PODS}?limit=1`)
  await sleep(SETTLE_MS)
}

/** Nodes of which nothing is heard for 50 seconds are taken for gone; each family takes less. */
function signOfLife(): RequestTemplate {
  const ready = { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'ready' }
  const conditions = [{ ...ready, lastHeartbeatTime: `${new Date().toISOString().slice(0, 19)}Z` }]
  return {
    method: 'PATCH',
    path: '/api/v1/nodes/node-{i}/status',
    contentType: 'application/strategic-merge-patch+json',
    body: JSON.stringify({ status: { conditions } }),
  }
}

async function drain(parts: ScenarioParts, connection: Connection, family: Family, nodes: number): Promise<Sample> {
  const pods = parts.quick ? family.pods / 4 : family.pods
  if (family.preempts === true) await fill(parts, connection, nodes)
  const churning = family.churns === true ? await churn(parts.side.access.credentials) : undefined
  const { ms, cpuMs } = await timed(parts, async () => {
    await prepared(parts, { method: 'POST', path: PODS, body: podOf(family) }, pods, CREATORS)
    await untilNone(connection, UNBOUND)
  })
  await churning?.[Symbol.asyncDispose]()
  const placement = await placementOf(connection, 'color%3Dgreen')
  const wrong = family.wrong(placement)
  if (wrong !== undefined) throw new Error(`${family.name}: ${wrong}`)
  return { perSecond: (pods / ms) * 1_000, cpuMs: cpuMs / pods, mostOnNode: placement.mostOnNode }
}

function podOf({ spec, cpu = '100m' }: Family): string {
  return podText('pod-{i}', 'green', spec, cpu)
}

/** Every node has one large pod that anything of a higher priority may push out. */
async function fill(parts: ScenarioParts, connection: Connection, nodes: number): Promise<void> {
  const apiVersion = 'scheduling.k8s.io/v1'
  const priority = { apiVersion, kind: 'PriorityClass', metadata: { name: HIGH_PRIORITY }, value: 1_000 }
  const path = `/apis/${apiVersion}/priorityclasses`
  await prepared(parts, { method: 'POST', path, body: JSON.stringify(priority) }, 1)
  // At once, when told to go: nobody else would end them.
  const spec = { terminationGracePeriodSeconds: 0 }
  await prepared(
    parts,
    { method: 'POST', path: PODS, body: podText('low-{i}', 'grey', spec, LOW_CPU) },
    nodes,
    CREATORS,
  )
  await untilNone(connection, `${PODS}?limit=1&fieldSelector=spec.nodeName%3D`)
}

function podText(name: string, color: string, spec: object, cpu: string): string {
  const requests = { cpu, memory: '100Mi' }
  const container = { name: 'main', image: 'registry.example/bench:1', resources: { requests } }
  const metadata = { name, labels: { color } }
  return JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata, spec: { ...spec, containers: [container] } })
}
