import { describe, expect, test } from 'vitest'
import { container, podTemplate, replicaSet } from '../../../test/support/builders.ts'
import { replicaSets } from '../../apis/apps/replica-set.ts'
import type { PodTemplateSpec } from '../../apis/core/types.gen.ts'
import { podFromTemplate, sameTemplate, templateHash } from './pod-template.ts'

describe('two templates', () => {
  const spec = { containers: [container()] }
  const base: PodTemplateSpec = { metadata: { labels: { app: 'web' } }, spec }
  const term = { topologyKey: 'zone' }
  const affinity = (labelSelector?: object) => ({
    ...base,
    spec: {
      ...spec,
      affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ ...term, labelSelector }] } },
    },
  })
  const rows: readonly (readonly [behaviour: string, left: PodTemplateSpec, right: PodTemplateSpec, same: boolean])[] =
    [
      ['are the same with their fields in another order', base, { spec, metadata: { labels: { app: 'web' } } }, true],
      ['are the same with an empty list for none', base, { ...base, spec: { ...spec, volumes: [] } }, true],
      ['are the same with an empty map for none', base, { ...base, spec: { ...spec, nodeSelector: {} } }, true],
      [
        'are the same with null for none',
        base,
        { ...base, metadata: { ...base.metadata, creationTimestamp: null } },
        true,
      ],
      ['differ in an image', base, { ...base, spec: { containers: [container({ image: 'other' })] } }, false],
      ['differ in a selector of everything and of nothing', affinity(), affinity({}), false],
    ]
  test.each(rows)('%s', (_behaviour, left, right, same) => {
    expect([sameTemplate(left, right), templateHash(left, 0) === templateHash(right, 0)]).toEqual([same, same])
  })
})

test('a hash is short, has no vowels and changes with the collisions counted', () => {
  const hashes = [undefined, 1, 2].map((count) => templateHash(podTemplate(), count))
  expect(new Set(hashes).size).toBe(3)
  for (const hash of hashes) expect(hash).toMatch(/^[4-9bcdf]{1,10}$/)
})

test('a pod takes labels, annotations and finalizers of its template', () => {
  const metadata = { labels: { app: 'web' }, annotations: { note: 'yes' }, finalizers: ['example.com/wait'] }
  const owner = replicaSet({ metadata: { uid: 'owner' } })
  expect(podFromTemplate(replicaSets, owner, { ...podTemplate(), metadata }).metadata).toMatchObject({
    ...metadata,
    generateName: 'web-',
    namespace: 'default',
  })
})
