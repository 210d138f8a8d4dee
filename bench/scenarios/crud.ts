/** C1 to C4: single objects, one after the other and many at once. */

import type { Job, RequestTemplate } from '../generator.ts'
import { configMap, pod } from '../objects.ts'
import { onSides } from '../on-sides.ts'
import type { Sample, ScenarioParts } from '../scenario.ts'
import { measure, prepared, timed } from './measure.ts'

const PODS = '/api/v1/namespaces/default/pods'
const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps'
/** Nobody schedules these pods: the API is measured and nothing else. */
const NOBODY = 'nobody'

interface Load {
  readonly row: string
  readonly job: Job
}

const COUNT = { quick: 500, full: 2_000 }
/** For the figure of a client that waits for each answer. */
const ALONE = { quick: 100, full: 400 }
/** More where many clients make much of it in little time. */
const CROWD_TIMES = 2

/** In this order, as later loads read and change what earlier ones wrote. */
function loads(quick: boolean): readonly Load[] {
  const size = quick ? 'quick' : 'full'
  const [count, alone] = [COUNT[size], ALONE[size]]
  const times = (workers: number) => (workers === 1 ? alone : workers === 100 ? count * CROWD_TIMES : count)
  return [
    ...[1, 10, 100].map((workers) => create('Pod', PODS, pod(`pod-${workers}-{i}`, NOBODY), workers, times(workers))),
    ...[1, 10, 100].map((workers) =>
      create('ConfigMap', CONFIG_MAPS, configMap(`map-${workers}-{i}`), workers, times(workers)),
    ),
    ...[1, 10, 100].map((workers) => get(workers, times(workers) * 2)),
    ...CHANGES.flatMap(({ name, request }) =>
      [1, 10].map((workers) => load(`C3 ${name}`, request(workers), workers, workers === 1 ? alone : count / 2)),
    ),
    load('C4 delete ConfigMap', { method: 'DELETE', path: `${CONFIG_MAPS}/map-10-{i}` }, 10, count),
    load('C4 delete Pod', { method: 'DELETE', path: `${PODS}/pod-100-{i}` }, 10, count),
  ]
}

/** Of each client, so that its connection is there before anything counts. */
const WARM_REQUESTS = 2

function load(row: string, request: RequestTemplate, workers: number, operations: number): Load {
  return {
    row: `${row}, c=${workers}`,
    job: { workers, warmUp: workers * WARM_REQUESTS, operations, requests: [request] },
  }
}

function create(kind: string, path: string, body: string, workers: number, operations: number): Load {
  return load(`C1 create ${kind}`, { method: 'POST', path, body }, workers, operations)
}

function get(workers: number, operations: number): Load {
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
  about: 'C1, C2, C3, C4: create, get, patch, update, apply and delete',
  wish: {},
  byProtocol: true,
  async run(parts) {
    await warmUp(parts)
    const rows: Record<string, Sample> = {}
    const wanted = loads(parts.quick).filter(({ row }) => !parts.beside || BESIDE.test(row))
    for (const { row, job } of wanted) rows[row] = await measure(parts, job)
    if (parts.beside) return rows
    await deleteCollection(parts, 'warm')
    return { ...rows, [`C4 deletecollection of ${COLLECTION}`]: await deleteCollection(parts, 'collected') }
  },
})

/** What is also measured by the other protocol. */
const BESIDE = /create |get |merge patch.*c=10$/

const WARM_UP = { quick: 300, full: 2_000 }

async function warmUp(parts: ScenarioParts): Promise<void> {
  const times = parts.quick ? WARM_UP.quick : WARM_UP.full
  await prepared(parts, { method: 'POST', path: PODS, body: pod('warm-{i}', NOBODY) }, times)
  await prepared(parts, { method: 'POST', path: CONFIG_MAPS, body: configMap('warm-{i}') }, times)
  await prepared(parts, { method: 'GET', path: `${PODS}/warm-{i}` }, times)
  if (parts.beside) return
  for (const { request } of CHANGES) await prepared(parts, onWarm(request(1)), times)
  for (const path of [CONFIG_MAPS, PODS]) await prepared(parts, { method: 'DELETE', path: `${path}/warm-{i}` }, times)
}

/** The request about the objects that nothing is measured on. */
function onWarm(request: RequestTemplate): RequestTemplate {
  const renamed = (text: string) =>
    text.replaceAll('applied-1-{i}', 'warm-applied-{i}').replaceAll(/(pod|map)-100-\{i\}/g, 'warm-{i}')
  return { ...request, path: renamed(request.path), ...(request.body && { body: renamed(request.body) }) }
}

const COLLECTION = 1_000

/** All objects of a namespace by one request. */
async function deleteCollection(parts: ScenarioParts, namespace: string): Promise<Sample> {
  const body = JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
  await prepared(parts, { method: 'POST', path: '/api/v1/namespaces', body }, 1)
  const path = `/api/v1/namespaces/${namespace}/configmaps`
  await prepared(parts, { method: 'POST', path, body: configMap('map-{i}') }, COLLECTION)
  const { ms, cpuMs } = await timed(parts, () => prepared(parts, { method: 'DELETE', path }, 1))
  return { perSecond: (COLLECTION / ms) * 1_000, cpuMs: cpuMs / COLLECTION }
}
