/** C1 to C4: single objects, one after the other and many at once. */

import type { JobResult, RequestTemplate } from '../generator.ts'
import { type Job, runJob } from '../generator.ts'
import { configMap, pod } from '../objects.ts'
import type { Sample, Scenario, ScenarioParts } from '../scenario.ts'

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

export const crud: Scenario = {
  name: 'crud',
  about: 'C1 to C4: create, get, patch, update, apply and delete',
  wish: {},
  async run(parts) {
    await warmUp(parts)
    const rows: Record<string, Sample> = {}
    for (const { row, job } of loads(parts.quick)) rows[row] = await measure(parts, job)
    return rows
  },
}

const WARM_UP = 1_000

async function warmUp({ side, programs }: ScenarioParts): Promise<void> {
  const jobs: readonly RequestTemplate[] = [
    { method: 'POST', path: PODS, body: pod('warm-{i}', NOBODY) },
    { method: 'POST', path: CONFIG_MAPS, body: configMap('warm-{i}') },
    { method: 'GET', path: `${PODS}/warm-{i}` },
    apply(CONFIG_MAPS, configMap('warm-applied-{i}')),
  ]
  for (const request of jobs)
    await runJob(programs.generator, side.access, { workers: 10, operations: WARM_UP, requests: [request] })
}

/** Throughput, latencies and the processor time of the server for each request. */
export async function measure({ side, programs }: ScenarioParts, job: Job): Promise<Sample> {
  const before = side.figures.cpuMs()
  const result = await runJob(programs.generator, side.access, job)
  return { ...figuresOf(result), cpuMs: (side.figures.cpuMs() - before) / result.operations }
}

function figuresOf({ operations, seconds, latency }: JobResult): Sample {
  return { perSecond: operations / seconds, p50: latency.p50, p99: latency.p99 }
}
