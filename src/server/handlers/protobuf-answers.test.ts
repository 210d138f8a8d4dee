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
  const [initial, added] = [frames.initial?.(stored(pod)), frames.event('ADDED', stored(pod))]
  expect(initial).toEqual(added)
  expect(Buffer.from(added).readUInt32BE()).toBe(added.length - 4)
})
