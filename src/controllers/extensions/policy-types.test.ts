import { describe, expect, test } from 'vitest'
import type {
  NamedRuleWithOperations,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicySpec,
} from '../../apis/admissionregistration/types.gen.ts'
import { builtinResources } from '../../apis/builtin.ts'
import { planPolicyStatus } from './admission-policy-status.ts'
import { type KnownKinds, typeWarnings } from './policy-types.ts'

const known: KnownKinds = {
  ofResource: (group, version, resource) =>
    builtinResources.find((kind) => kind.group === group && kind.version === version && kind.resource === resource),
  ofKind: (group, version, name) =>
    builtinResources.find((kind) => kind.group === group && kind.version === version && kind.kind === name),
}

const rule = (apiGroups: readonly string[], resources: readonly string[]): NamedRuleWithOperations => ({
  operations: ['CREATE'],
  apiGroups,
  apiVersions: ['v1'],
  resources,
})

function policy(expression: string, spec: Partial<ValidatingAdmissionPolicySpec> = {}): ValidatingAdmissionPolicy {
  const matchConstraints = { resourceRules: [rule(['apps'], ['deployments'])] }
  return {
    metadata: { name: 'p', generation: 2 },
    spec: { matchConstraints, validations: [{ expression }], ...spec },
  }
}

describe('expressions that fit the types', () => {
  for (const expression of [
    'object.spec.replicas > 1',
    "object.spec.template.spec.containers.all(c, c.image.startsWith('x'))",
    "has(object.metadata.labels) && object.metadata.labels['a'] == 'b'",
    'oldObject.metadata.creationTimestamp < timestamp("2026-01-01T00:00:00Z")',
    "authorizer.group('').resource('pods').check('get').allowed() && request.operation == 'CREATE'",
    "namespaceObject.metadata.name == 'x'",
  ]) {
    test(`are not warned of: ${expression}`, () => expect(typeWarnings(policy(expression), known)).toEqual([]))
  }
})

describe('expressions that do not', () => {
  test('are told with their place and the kind they do not fit', () => {
    const spec = { validations: [{ expression: 'true' }, { expression: 'object.spec.replicas > "1"' }] }
    const warning =
      "apps/v1, Kind=Deployment: ERROR: <input>:1:22: found no matching overload for '_>_' applied to '(int, string)'\n" +
      ' | object.spec.replicas > "1"\n' +
      ' | .....................^\n'
    expect(typeWarnings(policy('', spec), known)).toEqual([{ fieldRef: 'spec.validations[1].expression', warning }])
  })

  test('are told for every kind, and their messages beside them', () => {
    const spec = {
      matchConstraints: { resourceRules: [rule(['apps'], ['statefulsets', 'deployments', 'deployments/status'])] },
      validations: [{ expression: 'object.spec.paused', messageExpression: 'object.nosuch' }],
    }
    const [first, second] = typeWarnings(policy('', spec), known)
    expect(first?.warning).toMatch(/^apps\/v1, Kind=StatefulSet: ERROR: <input>:1:12: undefined field 'paused'/)
    expect(second?.fieldRef).toBe('spec.validations[0].messageExpression')
    expect(second?.warning).toMatch(/^apps\/v1, Kind=Deployment: [\s\S]*\n\napps\/v1, Kind=StatefulSet: /)
  })

  test('are found through variables and parameters', () => {
    const spec = {
      paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
      variables: [{ name: 'max', expression: 'params.data["max"]' }],
      validations: [{ expression: 'object.spec.replicas <= variables.max' }],
    }
    expect(typeWarnings(policy('', spec), known)[0]?.warning).toContain("applied to '(int, string)'")
  })

  test('are not looked for where rules say everything, or nothing that is known', () => {
    for (const resourceRules of [[rule(['*'], ['deployments'])], [rule(['apps'], ['*'])], [rule(['x'], ['y'])]]) {
      expect(typeWarnings(policy('object.nosuch', { matchConstraints: { resourceRules } }), known)).toEqual([])
    }
  })
})

test('the status says which generation was looked at, and keeps the rest', () => {
  const [action] = planPolicyStatus({ policy: policy('true'), warnings: [] }).actions
  expect(action).toMatchObject({ object: { status: { observedGeneration: 2, typeChecking: {} } } })
})
