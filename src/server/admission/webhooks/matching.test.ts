import { describe, expect, test } from 'vitest'
import { deployments } from '../../../apis/apps/deployment.ts'
import { namespaces } from '../../../apis/core/namespace.ts'
import { isExempt, type RequestTarget, ruleMatches } from './matching.ts'

const target: RequestTarget = {
  operation: 'CREATE',
  group: 'apps',
  version: 'v1',
  resource: 'deployments',
  subresource: '',
  namespace: 'default',
}
const status = { ...target, subresource: 'status' }
const clusterScoped = { ...target, namespace: '' }
const namespace = { ...target, group: '', resource: 'namespaces', namespace: 'default' }

describe('a rule', () => {
  test.each<readonly [string, object, RequestTarget, boolean]>([
    ['matches what it names', {}, target, true],
    ['does not match another operation', { operations: ['UPDATE', 'DELETE'] }, target, false],
    ['matches every operation with a star', { operations: ['*'] }, { ...target, operation: 'CONNECT' }, true],
    ['does not match another group', { apiGroups: ['', 'batch'] }, target, false],
    ['matches every group with a star', { apiGroups: ['*'] }, target, true],
    ['does not match another version', { apiVersions: ['v1beta1'] }, target, false],
    ['matches every version with a star', { apiVersions: ['*'] }, target, true],
    ['does not match a subresource by the main resource', {}, status, false],
    ['does not match a subresource by a star', { resources: ['*'] }, status, false],
    ['matches a resource by a star', { resources: ['*'] }, target, true],
    ['matches a subresource that it names', { resources: ['deployments/status'] }, status, true],
    ['matches every subresource of a resource', { resources: ['deployments/*'] }, status, true],
    ['matches the resource itself with all its subresources', { resources: ['deployments/*'] }, target, true],
    ['matches a subresource of every resource', { resources: ['*/status'] }, status, true],
    ['does not match another subresource', { resources: ['*/scale'] }, status, false],
    ['matches everything with two stars', { resources: ['*/*'] }, status, true],
    ['of a scope matches within', { scope: 'Namespaced' }, target, true],
    ['of a scope does not match without', { scope: 'Namespaced' }, clusterScoped, false],
    ['of the cluster does not match what is in a namespace', { scope: 'Cluster' }, target, false],
    ['of the cluster matches what is in none', { scope: 'Cluster' }, clusterScoped, true],
    ['of the cluster matches namespaces', { scope: 'Cluster', apiGroups: [''], resources: ['*'] }, namespace, true],
    [
      'of a scope does not match namespaces',
      { scope: 'Namespaced', apiGroups: [''], resources: ['*'] },
      namespace,
      false,
    ],
    ['without anything matches nothing', { operations: [], resources: [] }, target, false],
  ])('%s', (_, change, asked, expected) => {
    const rule = {
      operations: ['CREATE' as const],
      apiGroups: ['apps'],
      apiVersions: ['v1'],
      resources: ['deployments'],
    }
    expect(ruleMatches({ ...rule, ...change }, asked)).toBe(expected)
  })
})

test('configurations of policies are seen by none of them', () => {
  const group = 'admissionregistration.k8s.io'
  for (const kind of ['ValidatingWebhookConfiguration', 'MutatingAdmissionPolicyBinding'])
    expect(isExempt({ definition: { ...deployments, group, kind } as never })).toBe(true)
  expect(isExempt({ definition: deployments as never })).toBe(false)
  expect(isExempt({ definition: namespaces as never })).toBe(false)
})
