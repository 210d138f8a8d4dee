/** C1 to C4: single objects, one after the other and many at once. */

import type { Job, RequestTemplate } from '../generator.ts'
import { configMap, pod } from '../objects.ts'
import { onSides, type Sample, type ScenarioParts } from '../scenario.ts'
import { measure, prepared, timed } from './measure.ts'

const PODS = '/api/v1/namespaces/default/pods'
const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps'
/** Nobody schedules these pods: the API is measured and nothing else. */
const NOBODY = 'nobody'

interface Load {
  readonly row: string
  readonly job: Job
}

/** In this order, as later loads read and change what earlier ones wrote. */
function loads(quick: boolean): readonly Load[] {
  const count = quick ? 1_000 : 5_000
  return [
    ...[1, 10, 100].map((workers) => create('Pod', PODS, pod(`pod-${workers}-{i}`, NOBODY), workers, count)),
    ...[1, 10, 100].map((workers) => create('ConfigMap', CONFIG_MAPS, configMap(`map-${workers}-{i}`), workers, count)),
    ...[1, 10, 100].map((workers) => get(workers, count)),
    ...CHANGES.flatMap(({ name, request }) =>
      [1, 10].map((workers) =>
        load(`C3 ${name}`, request(workers), workers, Math.min(count, workers === 1 ? 1_000 : count)),
      ),
    ),
    load('C4 delete ConfigMap', { method: 'DELETE', path: `${CONFIG_MAPS}/map-10-{i}` }, 10, count),
    load('C4 delete Pod', { method: 'DELETE', path: `${PODS}/pod-100-{i}` }, 10, count),
  ]
}

function load(row: string, request: RequestTemplate, workers: number, operations: number): Load {
  return { row: `${row}, c=${workers}`, job: { workers, operations, requests: [request] } }
}

function create(kind: string, path: string, body: string, workers: number, count: number): Load {
  const operations = workers === 1 ? Math.min(count, 1_000) : count
  return load(`C1 create ${kind}`, { method: 'POST', path, body }, workers, operations)
}

function get(workers: number, count: number): Load {
  const operations = workers === 1 ? Math.min(count, 2_000) : count * 2
  return load('C2 get Pod', { method: 'GET', path: `${PODS}/pod-1-7` }, workers, operations)
}

interface Change {
  readonly name: string
  readonly request: (workers: number) => RequestTemplate
}

const STATUS = { conditions: [{ type: 'Bench', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }] }

const CHANGES: readonly Change[] = [
  {
    name: 'merge patch of a label',
    request: (workers) => ({
      method: 'PATCH',
      path: `${PODS}/pod-100-{i}`,
      contentType: 'application/merge-patch+json',
      body: JSON.stringify({ metadata: { labels: { patched: `c-${workers}` } } }),
    }),
  },
  {
    name: 'strategic patch of the status',
    request: (workers) => ({
      method: 'PATCH',
      path: `${PODS}/pod-100-{i}/status`,
      contentType: 'application/strategic-merge-patch+json',
      body: JSON.stringify({ status: { ...STATUS, message: `c-${workers}` } }),
    }),
  },
  {
    name: 'JSON patch',
    request: (workers) => ({
      method: 'PATCH',
      path: `${PODS}/pod-100-{i}`,
      contentType: 'application/json-patch+json',
      body: JSON.stringify([{ op: 'add', path: '/metadata/labels/json', value: `c-${workers}` }]),
    }),
  },
  {
    name: 'update ConfigMap',
    request: (workers) => ({
      method: 'PUT',
      path: `${CONFIG_MAPS}/map-100-{i}`,
      body: configMap('map-100-{i}').replace('xxxx', `c${workers}`.padEnd(4, 'y')),
    }),
  },
  { name: 'apply ConfigMap', request: (workers) => apply(CONFIG_MAPS, configMap(`applied-${workers}-{i}`)) },
  { name: 'apply Pod', request: (workers) => apply(PODS, pod(`applied-${workers}-{i}`, NOBODY)) },
]

function apply(collection: string, body: string): RequestTemplate {
  const { name } = JSON.parse(body).metadata
  const path = `${collection}/${name}?fieldManager=bench`
  return { method: 'PATCH', path, contentType: 'application/apply-patch+yaml', body }
}

export const crud = onSides({
  name: 'crud',
  about: 'C1 to C4: create, get, patch, update, apply and delete',
  wish: {},
  async run(parts) {
    await warmUp(parts)
    const rows: Record<string, Sample> = {}
    for (const { row, job } of loads(parts.quick)) rows[row] = await measure(parts, job)
    return { ...rows, [`C4 deletecollection of ${COLLECTION}`]: await deleteCollection(parts) }
  },
})

const WARM_UP = 1_000

async function warmUp(parts: ScenarioParts): Promise<void> {
  await prepared(parts, { method: 'POST', path: PODS, body: pod('warm-{i}', NOBODY) }, WARM_UP)
  await prepared(parts, { method: 'POST', path: CONFIG_MAPS, body: configMap('warm-{i}') }, WARM_UP)
  await prepared(parts, { method: 'GET', path: `${PODS}/warm-{i}` }, WARM_UP)
  await prepared(parts, apply(CONFIG_MAPS, configMap('warm-applied-{i}')), WARM_UP)
}

const COLLECTION = 1_000

/** All objects of a namespace by one request. */
async function deleteCollection(parts: ScenarioParts): Promise<Sample> {
  const namespace = '/api/v1/namespaces/collected'
  const body = JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'collected' } })
  await prepared(parts, { method: 'POST', path: '/api/v1/namespaces', body }, 1)
  const path = `${namespace}/configmaps`
  await prepared(parts, { method: 'POST', path, body: configMap('map-{i}') }, COLLECTION)
  const { ms, cpuMs } = await timed(parts, () => prepared(parts, { method: 'DELETE', path }, 1))
  return { perSecond: (COLLECTION / ms) * 1_000, cpuMs: cpuMs / COLLECTION }
}
