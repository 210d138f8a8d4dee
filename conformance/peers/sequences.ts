/**
 * Generated sequences of writes by several managers to one object: server-side apply, updates and the other patches,
 * on the object and its status. Whoever owns which field at every step, and every conflict, must be the same.
 */

import { assert } from '../../src/base/assert.ts'
import { type Random, randomInteger, seededRandom } from '../../src/base/random.ts'
import {
  APPLY_PATCH,
  type Case,
  get,
  JSON_PATCH,
  MERGE_PATCH,
  patch,
  put,
  STRATEGIC_PATCH,
  type Step,
  type Theme,
} from './case.ts'
import type { JsonRecord } from './values.ts'

/** Writes of one sequence: enough for fields to be shared, taken, given up and taken again. */
const WRITES = 12
const MANAGERS = ['alpha', 'beta', 'gamma']

/** What documents of one kind are put together from. */
interface Subject {
  readonly kind: string
  readonly apiVersion: string
  /** With `{ns}`. */
  readonly collection: string
  /** Whether it has a status that clients may write. */
  readonly status?: (choose: Choose) => JsonRecord
  /** Part of what one manager wants; with `whole` everything that must be there. */
  document(choose: Choose, whole: boolean): JsonRecord
  /** Values for JSON patches: paths that may exist. */
  readonly paths: readonly (readonly [path: string, value: unknown])[]
}

interface Choose {
  one<T>(options: readonly T[]): T
  /** True with this probability. */
  chance(probability: number): boolean
  /** Some of the entries, in their order. */
  some<T>(entries: readonly T[], probability?: number): readonly T[]
}

/** `count` sequences; the same seed gives the same ones. */
export function sequences(seed: number, count: number): Theme {
  const random = seededRandom(seed)
  const cases = Array.from({ length: count }, (_, index): Case => {
    const choose = chooser(random)
    const subject = choose.one(SUBJECTS)
    return { name: `seed ${seed}, ${index}: ${subject.kind}`, steps: sequence(subject, choose) }
  })
  return { theme: 'sequences', cases }
}

function chooser(random: Random): Choose {
  const chance = (probability: number) => random.next() < probability
  return {
    one: (options) => {
      const chosen = options[randomInteger(random, options.length)]
      assert(chosen !== undefined, 'there is something to choose from')
      return chosen
    },
    chance,
    some: (entries, probability = 0.5) => entries.filter(() => chance(probability)),
  }
}

function sequence(subject: Subject, choose: Choose): readonly Step[] {
  const url = `${subject.collection}/subject`
  const first = choose.chance(0.7)
    ? apply(subject, url, choose, { whole: true, force: false })
    : { ...writeWhole(subject, url, choose), send: `POST ${subject.collection}?fieldManager=alpha` }
  const steps = [first]
  for (let index = 0; index < WRITES; index++) steps.push(write(subject, url, choose))
  return [...steps, get(url)]
}

function write(subject: Subject, url: string, choose: Choose): Step {
  const manager = choose.one(MANAGERS)
  const kind = choose.one(['apply', 'apply', 'apply', 'force', 'force', 'put', 'merge', 'strategic', 'json', 'status'])
  const named = (address: string) => `${address}?fieldManager=${manager}`
  switch (kind) {
    case 'put':
      return writeWhole(subject, named(url), choose)
    case 'merge':
      return patch(MERGE_PATCH, named(url), withNulls(subject.document(choose, false), choose))
    case 'strategic':
      return patch(STRATEGIC_PATCH, named(url), subject.document(choose, false))
    case 'json': {
      const [path, value] = choose.one(subject.paths)
      const operation = choose.one(['add', 'replace', 'remove'])
      return patch(JSON_PATCH, named(url), [{ op: operation, path, ...(operation !== 'remove' && { value }) }])
    }
    case 'status':
      return statusWrite(subject, url, choose)
    default:
      return apply(subject, url, choose, { whole: choose.chance(0.3), force: kind === 'force' })
  }
}

function apply(subject: Subject, url: string, choose: Choose, how: { whole: boolean; force: boolean }): Step {
  const query = `?fieldManager=${choose.one(MANAGERS)}${how.force ? '&force=true' : ''}`
  return patch(APPLY_PATCH, `${url}${query}`, documentOf(subject, subject.document(choose, how.whole)))
}

function statusWrite(subject: Subject, url: string, choose: Choose): Step {
  if (!subject.status) return get(url)
  const status = subject.status(choose)
  const address = `${url}/status?fieldManager=status-${choose.one(MANAGERS)}`
  if (choose.chance(0.5)) return patch(MERGE_PATCH, address, { status })
  return patch(APPLY_PATCH, `${address}&force=${choose.chance(0.5)}`, documentOf(subject, { metadata: {}, status }))
}

function writeWhole(subject: Subject, url: string, choose: Choose): Step {
  return put(url, documentOf(subject, subject.document(choose, true)))
}

function documentOf({ kind, apiVersion }: Subject, document: JsonRecord): JsonRecord {
  const metadata = { ...(document.metadata as JsonRecord | undefined), name: 'subject' }
  return { apiVersion, kind, ...document, metadata }
}

/** Some of a merge patch's leaves as null: they are taken away. But for the label that the selector demands. */
function withNulls(value: JsonRecord, choose: Choose): JsonRecord {
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) => {
      if (typeof child === 'object' && child !== null && !Array.isArray(child))
        return [key, withNulls(child as JsonRecord, choose)]
      return [key, key !== 'app' && choose.chance(0.2) ? null : child]
    }),
  )
}

const metadata = (choose: Choose): JsonRecord => ({
  labels: Object.fromEntries(choose.some(['a', 'b', 'c']).map((key) => [key, choose.one(['1', '2'])])),
  ...(choose.chance(0.4) && { annotations: { note: choose.one(['x', 'y']) } }),
  ...(choose.chance(0.2) && { finalizers: choose.some(['example.com/one', 'example.com/two'], 0.7) }),
})

const configMaps: Subject = {
  kind: 'ConfigMap',
  apiVersion: 'v1',
  collection: '/api/v1/namespaces/{ns}/configmaps',
  document: (choose) => ({
    metadata: metadata(choose),
    data: Object.fromEntries(choose.some(['a', 'b', 'c', 'd']).map((key) => [key, choose.one(['1', '2', '3'])])),
    ...(choose.chance(0.2) && { binaryData: { z: 'AA==' } }),
  }),
  paths: [
    ['/data/a', '9'],
    ['/metadata/labels/a', '9'],
    ['/metadata/labels', { c: '7' }],
    ['/data', { b: '8' }],
  ],
}

const SELECTOR = { matchLabels: { app: 'x' } }

function container(choose: Choose, name: string, whole: boolean): JsonRecord {
  const ports = choose.some([80, 81, 82]).map((containerPort) => ({
    containerPort,
    ...(choose.chance(0.7) && { protocol: choose.one(['TCP', 'UDP']) }),
    ...(choose.chance(0.4) && { name: `p${containerPort}${choose.one(['', 'a'])}` }),
  }))
  return {
    name,
    ...((whole || choose.chance(0.6)) && { image: choose.one(['one', 'two']) }),
    ...(choose.chance(0.5) && { ports }),
    ...(choose.chance(0.5) && {
      env: choose.some(['A', 'B', 'C']).map((key) => ({ name: key, value: choose.one(['1', '2']) })),
    }),
    ...(choose.chance(0.3) && { args: choose.some(['x', 'y', 'z']) }),
    ...(choose.chance(0.3) && {
      resources: { limits: { cpu: choose.one(['1', '1000m', '2']), ...(choose.chance(0.5) && { memory: '64Mi' }) } },
    }),
    ...(choose.chance(0.2) && { livenessProbe: { tcpSocket: { port: choose.one([80, 81]) }, periodSeconds: 5 } }),
  }
}

const deployments: Subject = {
  kind: 'Deployment',
  apiVersion: 'apps/v1',
  collection: '/apis/apps/v1/namespaces/{ns}/deployments',
  document: (choose, whole) => {
    const names = choose.some(['main', 'side', 'third'], 0.4)
    const containers = (names.length === 0 ? ['main'] : names).map((name) => container(choose, name, whole))
    const podSpec = {
      containers,
      ...(choose.chance(0.3) && { nodeSelector: { disk: choose.one(['ssd', 'hdd']) } }),
      ...(choose.chance(0.3) && {
        tolerations: choose.some(['k1', 'k2']).map((key) => ({ key, operator: 'Exists', effect: 'NoSchedule' })),
      }),
      ...(choose.chance(0.3) && {
        volumes: choose.some(['v1', 'v2']).map((name) => ({ name, emptyDir: choose.one([{}, { medium: 'Memory' }]) })),
      }),
      ...(choose.chance(0.2) && { hostAliases: [{ ip: '127.0.0.9', hostnames: choose.some(['h1', 'h2'], 0.8) }] }),
    }
    return {
      metadata: metadata(choose),
      spec: {
        ...(choose.chance(0.5) && { replicas: choose.one([1, 2, 3]) }),
        ...((whole || choose.chance(0.3)) && { selector: SELECTOR }),
        ...(choose.chance(0.2) && { strategy: choose.one([{ type: 'Recreate' }, { type: 'RollingUpdate' }]) }),
        ...((whole || choose.chance(0.7)) && { template: { metadata: { labels: { app: 'x' } }, spec: podSpec } }),
      },
    }
  },
  status: (choose) => ({
    ...(choose.chance(0.6) && { replicas: choose.one([1, 2]), observedGeneration: 1 }),
    conditions: choose.some(['Available', 'Progressing', 'Own']).map((type) => ({
      type,
      status: choose.one(['True', 'False']),
      ...(choose.chance(0.5) && { reason: 'Because', message: choose.one(['m', 'n']) }),
    })),
  }),
  paths: [
    ['/spec/replicas', 4],
    ['/spec/template/spec/containers/0/image', 'three'],
    ['/spec/template/spec/containers/0/env', [{ name: 'Z', value: 'z' }]],
    ['/spec/template/spec/containers/0/ports/0', { containerPort: 99 }],
    ['/metadata/labels/b', '9'],
    ['/spec/template/spec/nodeSelector', { disk: 'tape' }],
  ],
}

const services: Subject = {
  kind: 'Service',
  apiVersion: 'v1',
  collection: '/api/v1/namespaces/{ns}/services',
  document: (choose, whole) => {
    const chosen = choose.some([80, 81, 82])
    const ports = (chosen.length === 0 ? [80] : chosen).map((port) => ({
      port,
      name: `n${port}`,
      ...(choose.chance(0.5) && { protocol: choose.one(['TCP', 'UDP']) }),
      ...(choose.chance(0.4) && { targetPort: choose.one([8080, 'http']) }),
    }))
    return {
      metadata: metadata(choose),
      spec: {
        ...((whole || choose.chance(0.6)) && { ports }),
        ...(choose.chance(0.5) && { selector: { app: choose.one(['x', 'y']) } }),
        ...(choose.chance(0.2) && { sessionAffinity: choose.one(['None', 'ClientIP']) }),
        ...(choose.chance(0.2) && { externalIPs: choose.some(['192.0.2.1', '192.0.2.2'], 0.7) }),
      },
    }
  },
  status: (choose) => ({ loadBalancer: { ingress: choose.some(['192.0.2.7', '192.0.2.8']).map((ip) => ({ ip })) } }),
  paths: [
    ['/spec/ports/0/targetPort', 99],
    ['/spec/selector', { app: 'z' }],
    ['/metadata/annotations', { note: 'z' }],
    ['/spec/sessionAffinity', 'ClientIP'],
  ],
}

const SUBJECTS: readonly Subject[] = [configMaps, deployments, services]
