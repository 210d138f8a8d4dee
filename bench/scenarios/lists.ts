/** D1, D2: large lists in every form, and lists that find little. */

import type { Job, RequestTemplate } from '../generator.ts'
import { pod } from '../objects.ts'
import { BEST_TUNING, onSides } from '../on-sides.ts'
import type { Sample, ScenarioParts } from '../scenario.ts'
import { measure, measureBytes, prepared } from './measure.ts'

const PODS = '/api/v1/namespaces/default/pods'
const FEW = 1_000
const COUNT = 10_000
const MANY = 50_000
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

/** The first of them are enough where the number of objects or the protocol is another. */
const PLAIN = 2

const SELECTIONS: readonly Form[] = [
  { name: 'label, none', request: { path: `${PODS}?labelSelector=app%3Dnone` }, workers: 10 },
  { name: 'label, one in a hundred', request: { path: `${PODS}?labelSelector=shard%3Ds-7` }, workers: 10 },
  { name: 'field spec.nodeName, none', request: { path: `${PODS}?fieldSelector=spec.nodeName%3Dnone` }, workers: 10 },
]

export const lists = onSides({
  name: 'lists',
  about: `D1, D2: lists of ${COUNT} pods in every form; label and field selectors`,
  wish: {},
  byProtocol: true,
  async run(parts) {
    const { quick, beside } = parts
    const rows: Record<string, Sample> = {}
    let seeded = 0
    const lists = async (count: number, forms: readonly Form[], times: number) => {
      await prepared(parts, { method: 'POST', path: PODS, body: pod(`pod-${count}-{i}`, NOBODY) }, count - seeded)
      seeded = count
      for (const form of forms)
        rows[`D1 list ${count} pods, ${form.name}, c=${form.workers ?? 1}`] = await listed(parts, form, times)
    }
    if (!beside) await lists(FEW, FORMS.slice(0, PLAIN), quick ? 5 : 15)
    await lists(COUNT, beside ? FORMS.slice(0, PLAIN) : FORMS, quick ? 1 : 4)
    for (const form of SELECTIONS) rows[`D2 ${form.name}`] = await selected(parts, form, quick ? 100 : 400)
    return rows
  },
})

/** Rounds are long, and no goal hangs on them. */
const LARGE_ROUNDS_MAX = 1

export const largeLists = onSides({
  name: 'lists-large',
  about: `D1: lists of ${MANY} pods; not with --quick`,
  fullOnly: true,
  wish: {},
  tunings: BEST_TUNING,
  roundsMax: LARGE_ROUNDS_MAX,
  async run(parts) {
    await prepared(parts, { method: 'POST', path: PODS, body: pod('pod-{i}', NOBODY) }, MANY, SEEDERS)
    const rows: Record<string, Sample> = {}
    for (const form of FORMS.slice(0, PLAIN))
      rows[`D1 list ${MANY} pods, ${form.name}, c=${form.workers ?? 1}`] = await listed(parts, form, 2)
    return rows
  },
})

const SEEDERS = 50

/** Each worker lists this often; once more before it counts. */
function listed(parts: ScenarioParts, form: Form, times: number): Promise<Sample> {
  const { workers = 1 } = form
  return measureBytes(parts, { ...jobOf(form, workers * times), warmUp: workers })
}

/** As often before it counts. */
function selected(parts: ScenarioParts, form: Form, times: number): Promise<Sample> {
  return measure(parts, { ...jobOf(form, times), warmUp: times })
}

function jobOf({ request, workers = 1 }: Form, operations: number): Job {
  return { workers, operations, requests: [{ method: 'GET', ...request }] }
}
