/** D1, D2: large lists in every form, and lists that find little. */

import type { Job, RequestTemplate } from '../generator.ts'
import { pod } from '../objects.ts'
import { onSides, type Sample, type ScenarioParts } from '../scenario.ts'
import { measure, measureBytes, prepared } from './measure.ts'

const PODS = '/api/v1/namespaces/default/pods'
const COUNT = 10_000
const NOBODY = 'nobody'
const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io'
const PROTOBUF = 'application/vnd.kubernetes.protobuf'

interface Form {
  readonly name: string
  readonly request: Omit<RequestTemplate, 'method'>
  readonly workers?: number
}

const FORMS: readonly Form[] = [
  { name: 'full JSON', request: { path: PODS } },
  { name: 'full JSON', request: { path: PODS }, workers: 8 },
  { name: 'JSON, resourceVersion=0', request: { path: `${PODS}?resourceVersion=0` } },
  { name: 'JSON, gzip', request: { path: PODS, acceptEncoding: 'gzip' } },
  { name: 'pages of 500', request: { path: `${PODS}?limit=500`, paged: true } },
  { name: 'Table', request: { path: PODS, accept: TABLE } },
  { name: 'protobuf', request: { path: PODS, accept: PROTOBUF } },
]

const SELECTIONS: readonly Form[] = [
  { name: 'label, none', request: { path: `${PODS}?labelSelector=app%3Dnone` }, workers: 10 },
  { name: 'label, one in a hundred', request: { path: `${PODS}?labelSelector=shard%3Ds-7` }, workers: 10 },
  { name: 'field spec.nodeName, none', request: { path: `${PODS}?fieldSelector=spec.nodeName%3Dnone` }, workers: 10 },
]

export const lists = onSides({
  name: 'lists',
  about: `D1, D2: lists of ${COUNT} pods in every form; label and field selectors`,
  wish: {},
  async run(parts) {
    const { quick, side } = parts
    await prepared(parts, { method: 'POST', path: PODS, body: pod('pod-{i}', NOBODY) }, COUNT)
    const rows: Record<string, Sample> = {}
    for (const form of FORMS) {
      const { workers = 1 } = form
      side.figures.resetPeak()
      const sample = await listed(parts, form, quick ? 3 : 15)
      rows[`D1 list ${COUNT} pods, ${form.name}, c=${workers}`] = { ...sample, peakMb: side.figures.peakMb() }
    }
    for (const form of SELECTIONS) rows[`D2 ${form.name}`] = await measure(parts, jobOf(form, quick ? 200 : 1_000))
    return rows
  },
})

/** Each worker lists this often; once more before it counts. */
function listed(parts: ScenarioParts, form: Form, times: number): Promise<Sample> {
  const { workers = 1 } = form
  return measureBytes(parts, { ...jobOf(form, workers * times), warmUp: workers })
}

function jobOf({ request, workers = 1 }: Form, operations: number): Job {
  return { workers, operations, requests: [{ method: 'GET', ...request }] }
}
