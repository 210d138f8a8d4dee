/**
 * Goal: nothing that is almost valid brings the server down. Method: valid bodies of many kinds, mutated by a seeded
 * generator as values and as bytes, sent with every verb and content type to a real listener. Each answer is either
 * a success or a 4xx Status; the server logs no failure of its own and its heap stays where it was.
 */

import { expect, test } from 'vitest'
import { builtinResources } from '../../../src/apis/builtin.ts'
import type { ResourceDefinition } from '../../../src/apis/definition.ts'
import { type Random, randomInteger, seededRandom } from '../../../src/base/random.ts'
import { liveHeapBytes } from '../../support/live-heap.ts'
import { minimalObject } from '../../support/minimal-objects.ts'
import { deploymentMessage, envelope, message } from '../../support/protobuf.ts'
import { expectRefusal, type HostileServer, openHostileServer } from './hostile-server.ts'

const INPUTS = 20_000
/** Requests under way at once. */
const CONCURRENT = 16
/** Growth of the live heap that a leak of a few hundred bytes per input would exceed. Stored objects are deleted. */
const HEAP_GROWTH_BYTES_MAX = 64 * 1024 * 1024
const SEED = 20_260_101

const MERGE = 'application/merge-patch+json'
const STRATEGIC = 'application/strategic-merge-patch+json'
const JSON_PATCH = 'application/json-patch+json'
const APPLY = 'application/apply-patch+yaml'
const PROTOBUF = 'application/vnd.kubernetes.protobuf'

const targets = builtinResources.filter(({ verbs }) => verbs.includes('create') && verbs.includes('update'))

const ODD_VALUES: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  2 ** 53,
  1e308,
  '',
  ' ',
  'x',
  '../..',
  '__proto__',
  '\u0000',
  '\ud800',
  'a'.repeat(5_000),
  '1Gi',
  '-5m',
  '2026-01-01T00:00:00Z',
  '0.0.0.0/0',
  '300.1.2.3',
  [],
  {},
  [[]],
  [null],
  { '': '' },
  { constructor: { prototype: { polluted: true } } },
]

const ODD_TEXTS = ODD_VALUES.filter((value) => typeof value === 'string')
const ODD_NUMBERS = ODD_VALUES.filter((value) => typeof value === 'number')

const ODD_KEYS = ['__proto__', 'constructor', '$patch', '$setElementOrder/containers', '', 'a/b', 'status', 'metadata']

type Value = unknown

/** One change somewhere in a copy of the value. */
function mutated(value: Value, random: Random): Value {
  const pick = <T>(list: readonly T[]): T => list[randomInteger(random, list.length)] as T
  // Mostly of the same type: what the decoder refuses never reaches the rules behind it.
  if (typeof value === 'string' && random.next() < 0.8) return pick(ODD_TEXTS)
  if (typeof value === 'number' && random.next() < 0.8) return pick(ODD_NUMBERS)
  if (typeof value !== 'object' || value === null) return pick(ODD_VALUES)
  if (random.next() < 0.1) return random.next() < 0.5 ? null : Array.isArray(value) ? [] : {}
  if (Array.isArray(value)) {
    if (value.length === 0 || random.next() < 0.2) return [...value, random.next() < 0.5 ? value[0] : pick(ODD_VALUES)]
    const at = randomInteger(random, value.length)
    return value.map((item, index) => (index === at ? mutated(item, random) : item))
  }
  const entries = Object.entries(value)
  if (entries.length === 0 || random.next() < 0.15) entries.push([pick(ODD_KEYS), pick(ODD_VALUES)])
  const at = randomInteger(random, entries.length)
  const changed = entries.flatMap(([key, item], index): [string, Value][] => {
    if (index !== at) return [[key, item]]
    if (random.next() < 0.1) return []
    return [[random.next() < 0.05 ? pick(ODD_KEYS) : key, mutated(item, random)]]
  })
  return Object.fromEntries(changed)
}

/** Bytes with a few of them changed, cut, or doubled. */
function mutatedBytes(bytes: Uint8Array, random: Random): Uint8Array {
  const copy = Buffer.from(bytes)
  for (let changes = randomInteger(random, 4); changes >= 0; changes--)
    copy[randomInteger(random, copy.length)] = randomInteger(random, 256)
  const cut = randomInteger(random, copy.length)
  if (random.next() < 0.2) return copy.subarray(0, cut)
  return random.next() < 0.1 ? Buffer.concat([copy, copy.subarray(cut)]) : copy
}

interface Input {
  readonly method: string
  readonly path: string
  readonly body: Uint8Array
  readonly type: string
}

function inputOf(random: Random): Input {
  const definition = targets[randomInteger(random, targets.length)] as ResourceDefinition
  const { group, version, resource, scope } = definition
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
  const collection = `${root}${scope === 'Namespaced' ? '/namespaces/default' : ''}/${resource}`
  const object = minimalObject(definition)
  const item = `${collection}/${object.metadata.name}`
  let value: Value = object
  for (let changes = randomInteger(random, 3); changes >= 0; changes--) value = mutated(value, random)
  // Who the object is stays mostly as it is: the rest is what the path names.
  const { apiVersion, kind } = object
  if (random.next() < 0.8 && isRecord(value)) value = { ...value, apiVersion, kind, metadata: object.metadata }
  const json = Buffer.from(JSON.stringify(value))
  const body = random.next() < 0.1 ? mutatedBytes(json, random) : json
  const subresource = random.next() < 0.15 ? '/status' : random.next() < 0.05 ? '/scale' : ''
  const choices: readonly Input[] = [
    { method: 'POST', path: collection, body, type: 'application/json' },
    { method: 'POST', path: `${collection}?dryRun=All&fieldValidation=Strict`, body, type: 'application/json' },
    { method: 'POST', path: collection, body, type: 'application/yaml' },
    { method: 'PUT', path: `${item}${subresource}`, body, type: 'application/json' },
    { method: 'PATCH', path: `${item}${subresource}`, body, type: MERGE },
    { method: 'PATCH', path: `${item}${subresource}`, body, type: STRATEGIC },
    { method: 'PATCH', path: item, body: jsonPatch(object, random), type: JSON_PATCH },
    { method: 'PATCH', path: `${item}${subresource}?fieldManager=fuzz&force=true`, body, type: APPLY },
    { method: 'POST', path: collection, body: protobufOf(definition, random), type: PROTOBUF },
    { method: 'DELETE', path: item, body: mutatedBytes(DELETE_OPTIONS, random), type: 'application/json' },
  ]
  return choices[randomInteger(random, choices.length)] as Input
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const DELETE_OPTIONS = Buffer.from('{"kind":"DeleteOptions","apiVersion":"v1","gracePeriodSeconds":0}')

function protobufOf({ group, version, kind }: ResourceDefinition, random: Random): Uint8Array {
  if (kind === 'Deployment') return mutatedBytes(deploymentMessage('contract'), random)
  const parts = Array.from({ length: 12 }, () => randomInteger(random, 256))
  const apiVersion = group === '' ? version : `${group}/${version}`
  return envelope(apiVersion, kind, message([1, message([1, 'contract'])], [2, Buffer.from(parts)]))
}

function jsonPatch(object: object, random: Random): Uint8Array {
  const paths = [
    '',
    '/metadata',
    '/metadata/labels',
    '/spec',
    '/spec/template',
    '/data',
    '/metadata/annotations/x',
    '/-',
    '/a~2',
  ]
  const operations = ['add', 'remove', 'replace', 'move', 'copy', 'test', 'explode']
  const patch = Array.from({ length: 1 + randomInteger(random, 4) }, () => ({
    op: operations[randomInteger(random, operations.length)],
    path: paths[randomInteger(random, paths.length)],
    from: paths[randomInteger(random, paths.length)],
    value: mutated(object, random),
  }))
  return Buffer.from(JSON.stringify(random.next() < 0.1 ? mutated(patch, random) : patch))
}

async function deleteEverything({ send }: HostileServer): Promise<void> {
  for (const { group, version, resource, scope } of targets) {
    const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
    await send('DELETE', `${root}${scope === 'Namespaced' ? '/namespaces/default' : ''}/${resource}`)
  }
}

/** What the mutated updates and patches are about. */
async function createEverything({ send }: HostileServer): Promise<void> {
  for (const definition of targets) {
    const { group, version, resource, scope } = definition
    const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
    const collection = `${root}${scope === 'Namespaced' ? '/namespaces/default' : ''}/${resource}`
    await send('POST', collection, JSON.stringify(minimalObject(definition)))
  }
}

async function feed(hostile: HostileServer, count: number, random: Random): Promise<ReadonlyMap<number, number>> {
  const answers = new Map<number, number>()
  let left = count
  const caller = async () => {
    while (left-- > 0) {
      const { method, path, body, type } = inputOf(random)
      const answer = await hostile.send(method, path, body, type)
      answers.set(answer.status, (answers.get(answer.status) ?? 0) + 1)
      const context = `${method} ${path} ${type} ${Buffer.from(body).toString('latin1').slice(0, 2_000)}`
      if (answer.status >= 400) expectRefusal(answer, JSON.stringify(context))
      if (left % 500 === 0) await createEverything(hostile)
      if (left % 5_000 === 0) await deleteEverything(hostile)
    }
  }
  await Promise.all(Array.from({ length: CONCURRENT }, caller))
  return answers
}

test(`${INPUTS} mutations of valid requests are taken or refused, and leave nothing behind`, {
  timeout: 400_000,
}, async () => {
  await using hostile = await openHostileServer()
  const random = seededRandom(SEED)
  await feed(hostile, 2_000, random)
  await deleteEverything(hostile)
  await hostile.server.storage.compact(hostile.server.storage.head)
  const before = liveHeapBytes()
  const answers = await feed(hostile, INPUTS - 2_000, random)
  await deleteEverything(hostile)
  await hostile.server.storage.compact(hostile.server.storage.head)
  expect(hostile.errors).toEqual([])
  expect(liveHeapBytes() - before).toBeLessThan(HEAP_GROWTH_BYTES_MAX)
  // The generator is of use only while some of it is accepted and each kind of refusal occurs.
  for (const status of [200, 201, 400, 404, 409, 422]) expect(answers.get(status) ?? 0, `${status}`).toBeGreaterThan(50)
  expect(({} as Record<string, unknown>).polluted).toBeUndefined()
})
