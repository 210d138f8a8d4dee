import { expect, test } from 'vitest'
import { builtinResources } from '../../apis/builtin.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import { cachedObjectFactory } from '../../watch/cached-object.ts'
import { protobufFrames } from './protobuf-answers.ts'

const pods = builtinResources.find(({ kind }) => kind === 'Pod')
const cached = cachedObjectFactory()

function stored(object: KubeObject) {
  const [name, fields, labels] = [object.metadata.name ?? '', {}, {}]
  const bytes = Buffer.from(JSON.stringify(object))
  return cached({ key: name, namespace: 'default', name, uid: 'u', revision: 1, labels, fields, bytes })
}

test('an object that is there is told like one that is added', () => {
  if (!pods) throw new Error('there are pods')
  const frames = protobufFrames(pods)
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'ä', labels: { a: 'b' } }, spec: { containers: [] } }
  // Two objects of equal bytes: what is kept of one is not found by the other.
  const [parts = [], added] = [frames.initial?.(stored(pod)), frames.event('ADDED', stored(pod))]
  expect(Buffer.concat(parts)).toEqual(added)
  expect(Buffer.from(added).readUInt32BE()).toBe(added.length - 4)
})

test('what somebody has parsed is not parsed again', () => {
  if (!pods) throw new Error('there are pods')
  const { initial } = protobufFrames(pods)
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'known' }, spec: { containers: [] } }
  const { object: _, ...facts } = stored(pod)
  const known = cached({ ...facts, bytes: Buffer.from('no JSON') }, pod)
  expect(Buffer.concat(initial?.(known) ?? [])).toEqual(Buffer.concat(initial?.(stored(pod)) ?? []))
})

test('heads are those of the lengths that follow', () => {
  if (!pods) throw new Error('there are pods')
  const frames = protobufFrames(pods)
  for (const length of [1, 100, 200, 100, 20_000, 1]) {
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x'.repeat(length) }, spec: { containers: [] } }
    const [parts = [], added] = [frames.initial?.(stored(pod)), frames.event('ADDED', stored(pod))]
    expect(Buffer.concat(parts).equals(added)).toBe(true)
  }
})
