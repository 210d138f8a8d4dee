import { expect, test } from 'vitest'
import { componentStatuses } from './core/component-status.ts'
import { finalizerErrors } from './owned-finalizers.ts'

const object = { metadata: { finalizers: ['example.com/mine', 'short', 'orphan'] } }

test('kinds that are built in want to know whose a finalizer is, but for the system’s own', () => {
  const paths = finalizerErrors(componentStatuses, { ...object }).map(({ path }) => path)
  expect(paths).toEqual(['metadata.finalizers[1]'])
})

test('custom resources and a few groups take any name', () => {
  expect(finalizerErrors({ ...componentStatuses, schemaStamp: 'custom' }, object)).toEqual([])
  expect(finalizerErrors({ ...componentStatuses, group: 'node.k8s.io' }, object)).toEqual([])
})
