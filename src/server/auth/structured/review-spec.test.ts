import { expect, test } from 'vitest'
import type { Attributes } from '../authorizer.ts'
import { fieldLimits, labelLimits } from '../authorizer.ts'
import { reviewSpecOf } from './review-spec.ts'

const base: Attributes = {
  ...{
    user: { name: 'jane', groups: [], extra: {} },
    verb: 'list',
    group: 'apps',
    version: 'v1',
    resource: 'deployments',
  },
  ...{ subresource: '', namespace: 'a', name: '', path: '' },
}
const sent = (attributes: Attributes) => JSON.parse(JSON.stringify(reviewSpecOf(attributes)))

test('says what is there and nothing else', () => {
  const resourceAttributes = { namespace: 'a', verb: 'list', group: 'apps', version: 'v1', resource: 'deployments' }
  expect(sent(base)).toEqual({ user: 'jane', resourceAttributes })
})

test('a path is no resource', () => {
  expect(sent({ ...base, resource: '', group: '', namespace: '', verb: 'get', path: '/metrics' })).toEqual({
    user: 'jane',
    nonResourceAttributes: { path: '/metrics', verb: 'get' },
  })
})

test('selectors are said in the terms of the review, as far as they can be read', () => {
  const labels = labelLimits('a=b,c==d,e!=f,g in (h,i),j notin (k),l,!m,n>1')
  const { resourceAttributes } = sent({ ...base, fields: fieldLimits('x=y,z!=w'), labels })
  expect(resourceAttributes.fieldSelector.requirements).toEqual([
    { key: 'x', operator: 'In', values: ['y'] },
    { key: 'z', operator: 'NotIn', values: ['w'] },
  ])
  expect(resourceAttributes.labelSelector.requirements).toEqual([
    { key: 'a', operator: 'In', values: ['b'] },
    { key: 'c', operator: 'In', values: ['d'] },
    { key: 'e', operator: 'NotIn', values: ['f'] },
    { key: 'g', operator: 'In', values: ['h', 'i'] },
    { key: 'j', operator: 'NotIn', values: ['k'] },
    { key: 'l', operator: 'Exists' },
    { key: 'm', operator: 'DoesNotExist' },
  ])
  expect(sent({ ...base, labels: labelLimits('===') }).resourceAttributes.labelSelector).toBeUndefined()
})
