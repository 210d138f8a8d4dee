import { expect, test } from 'vitest'
import {
  mutatingAdmissionPolicyBindings,
  validatingAdmissionPolicyBindings,
} from '../../../apis/admissionregistration/admission-policy-bindings.ts'
import { validatingAdmissionPolicies } from '../../../apis/admissionregistration/validating-admission-policy.ts'
import { builtinResources } from '../../../apis/builtin.ts'
import { createCatalog } from '../../../apis/catalog.ts'
import type { ResourceDefinition } from '../../../apis/definition.ts'
import { messageOf } from '../../../base/error-text.ts'
import type { KubeObject } from '../../../machinery/meta/object.ts'
import { ALLOWED, type Attributes, NO_OPINION } from '../../auth/authorizer.ts'
import { policyParameters } from './policy-parameters.ts'

const catalog = createCatalog(builtinResources)
const paramKind = { apiVersion: 'v1', kind: 'Secret' }
const policy = (spec: object = { paramKind }): KubeObject => ({ metadata: { name: 'p' }, ...{ spec } })
const binding = (paramRef?: object, policyName = 'p'): KubeObject => ({
  metadata: { name: 'b' },
  ...{ spec: { policyName, ...(paramRef && { paramRef }) } },
})

/** What is said to somebody who may do just this: `verb group/resource namespace/name`. */
async function refusal(
  definition: ResourceDefinition<never>,
  object: KubeObject,
  { may = '', previous, kind = paramKind }: { may?: string; previous?: KubeObject; kind?: object } = {},
) {
  const plugin = policyParameters({
    view: {
      get: async (_, { name }) => (name === 'p' ? (policy({ paramKind: kind }) as never) : undefined),
      list: async () => [],
    },
    byKind: catalog.byKind,
    authorization: {
      authorizer: {
        authorize: ({ verb, group, resource, namespace, name }: Attributes) =>
          may === `${verb} ${group}/${resource} ${namespace}/${name}` ? ALLOWED : NO_OPINION,
      },
      roles: { rightsOf: async () => ({ rules: [], errors: [] }), rulesOfRole: async () => undefined },
    },
  })
  try {
    await plugin.validate?.({
      operation: previous ? 'UPDATE' : 'CREATE',
      definition: definition as never,
      subresource: '',
      namespace: '',
      name: object.metadata.name ?? '',
      object,
      previous,
      user: { name: 'jane', uid: '7', groups: ['a', 'b'], extra: { scopes: ['x', 'y'] } },
      dryRun: false,
      options: {},
      warn: () => {},
    })
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}

const policies = validatingAdmissionPolicies as never
const bindings = validatingAdmissionPolicyBindings as never
const ref = { namespace: 'team', name: 'keys', parameterNotFoundAction: 'Deny' }

test('a policy takes the right to read all of its parameters', async () => {
  expect(await refusal(policies, policy())).toBe(
    'ValidatingAdmissionPolicy.admissionregistration.k8s.io "p" is invalid: spec.paramKind: Forbidden: user ' +
      '&{jane 7 [a b] map[scopes:[x y]]} must have "get" permission on all objects of the referenced paramKind ' +
      '(kind=Secret, apiVersion=v1)',
  )
  expect(await refusal(policies, policy(), { may: 'get /secrets */*' })).toBeUndefined()
  expect(await refusal(policies, policy({}))).toBeUndefined()
  expect(await refusal(policies, policy(), { previous: policy() })).toBeUndefined()
  expect(await refusal(policies, policy(), { previous: policy({}) })).toBeDefined()
  const unknown = policy({ paramKind: { apiVersion: 'example.com/v1', kind: 'Rule' } })
  expect(await refusal(policies, unknown, { may: 'get example.com/* */*' })).toBeUndefined()
})

test('a binding takes the right to read those that it names', async () => {
  for (const definition of [bindings, mutatingAdmissionPolicyBindings as never]) {
    expect(await refusal(definition, binding(ref))).toContain(
      'spec.paramRef: Forbidden: user &{jane 7 [a b] map[scopes:[x y]]} does not have "get" permission on the object',
    )
    expect(await refusal(definition, binding(ref), { may: 'get /secrets team/keys' })).toBeUndefined()
  }
  expect(await refusal(bindings, binding())).toBeUndefined()
  expect(await refusal(bindings, binding(ref), { previous: binding(ref) })).toBeUndefined()
  expect(await refusal(bindings, binding(ref), { previous: binding(ref, 'other') })).toBeDefined()
  const all = { selector: {}, parameterNotFoundAction: 'Deny' }
  expect(await refusal(bindings, binding(all), { may: 'list /secrets /' })).toBeUndefined()
})

test('while the policy or its kind is unknown, the right to read everything', async () => {
  expect(await refusal(bindings, binding(ref, 'none'))).toContain('unable to get policy none to determine')
  expect(await refusal(bindings, binding(ref, 'none'), { may: 'get */* team/keys' })).toBeUndefined()
  const kind = { apiVersion: 'example.com/v1', kind: 'Rule' }
  expect(await refusal(bindings, binding(ref), { kind })).toContain(
    'unable to resolve paramKind &{example.com/v1 Rule}',
  )
})
