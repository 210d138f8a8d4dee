import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { builtinResources } from '../../../src/apis/builtin.ts'
import { mutatingPolicies } from '../../../src/server/admission/policies/mutating-policies.ts'
import { validatingPolicies } from '../../../src/server/admission/policies/validating-policies.ts'
import { type Answer, createTestServer, type TestServer } from '../../support/test-server.ts'

// Goal: admission policies as clients meet them, with the whole write path around them.

const GROUP = '/apis/admissionregistration.k8s.io/v1'
const CONFIG_MAPS = { operations: ['*'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] }
const DEPLOYMENTS = {
  operations: ['CREATE', 'UPDATE'],
  apiGroups: ['apps'],
  apiVersions: ['v1'],
  resources: ['deployments'],
}

let api: TestServer

beforeEach(async () => {
  api = createTestServer(builtinResources, {
    plugins: (parts) => [mutatingPolicies(parts), validatingPolicies(parts)],
  })
  await created('/api/v1/namespaces', { metadata: { name: 'default', labels: { tier: 'gold' } } })
})

afterEach(() => api[Symbol.asyncDispose]())

async function created(path: string, body: object): Promise<Answer> {
  const answer = await api.send('POST', path, { body })
  expect(answer.status, answer.text).toBe(201)
  return answer
}

function send(data: Readonly<Record<string, string>>, name = 'c', namespace = 'default'): Promise<Answer> {
  return api.send('POST', `/api/v1/namespaces/${namespace}/configmaps`, { body: { metadata: { name }, data } })
}

async function validating(spec: object, binding: object = { validationActions: ['Deny'] }, rule = CONFIG_MAPS) {
  const body = { metadata: { name: 'p' }, spec: { matchConstraints: { resourceRules: [rule] }, ...spec } }
  await created(`${GROUP}/validatingadmissionpolicies`, body)
  await bound('validating', binding)
}

async function mutating(spec: object, binding: object = {}, rule = DEPLOYMENTS) {
  const defaults = { reinvocationPolicy: 'Never', matchConstraints: { resourceRules: [rule] } }
  await created(`${GROUP}/mutatingadmissionpolicies`, { metadata: { name: 'p' }, spec: { ...defaults, ...spec } })
  await bound('mutating', binding)
}

function bound(type: 'validating' | 'mutating', spec: object): Promise<Answer> {
  const path = `${GROUP}/${type}admissionpolicybindings`
  return created(path, { metadata: { name: 'b' }, spec: { policyName: 'p', ...spec } })
}

describe('a validating policy', () => {
  test('refuses what its expression does not hold for, in upstream’s words', async () => {
    await validating({ validations: [{ expression: "object.data.size() < 2 || request.operation != 'CREATE'" }] })
    expect((await send({ a: '1' }, 'small')).status).toBe(201)
    const { status, json } = await send({ a: '1', b: '2' })
    const denied =
      "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: " +
      "failed expression: object.data.size() < 2 || request.operation != 'CREATE'"
    expect(status).toBe(422)
    expect(json).toMatchObject({
      reason: 'Invalid',
      message: `configmaps "c" is forbidden: ${denied}`,
      details: { name: 'c', kind: 'configmaps', causes: [{ message: denied }] },
    })
  })

  test('has messages, computed messages and reasons', async () => {
    await validating({
      variables: [
        { name: 'limit', expression: 'int(namespaceObject.metadata.labels.tier.size())' },
        { name: 'over', expression: 'variables.limit - 2' },
      ],
      validations: [
        {
          expression: 'object.data.size() <= variables.over',
          message: 'not used',
          messageExpression: "'at most ' + string(variables.over) + ' keys'",
          reason: 'Forbidden',
        },
      ],
    })
    const { status, json } = await send({ a: '', b: '', c: '' })
    expect(status).toBe(403)
    expect(json.message).toMatch(/denied request: at most 2 keys$/)
  })

  test('warns instead of refusing when its binding says so', async () => {
    await validating(
      { validations: [{ expression: 'false', message: 'bad' }] },
      { validationActions: ['Warn', 'Audit'] },
    )
    const { status, headers } = await send({})
    expect(status).toBe(201)
    expect(headers.warning).toContain("Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': bad")
  })

  test('is without effect without a binding, and where match conditions or selectors leave a request out', async () => {
    await validating(
      {
        matchConditions: [{ name: 'only-x', expression: "object.metadata.name.startsWith('x')" }],
        validations: [{ expression: 'false' }],
      },
      { validationActions: ['Deny'], matchResources: { namespaceSelector: { matchLabels: { tier: 'gold' } } } },
    )
    await created('/api/v1/namespaces', { metadata: { name: 'other' } })
    expect((await send({}, 'a')).status).toBe(201)
    expect((await send({}, 'x', 'other')).status).toBe(201)
    expect((await send({}, 'x')).status).toBe(422)
  })

  test('leaves out names that it excludes', async () => {
    const excludeResourceRules = [{ ...CONFIG_MAPS, resourceNames: ['free'] }]
    const matchConstraints = { resourceRules: [CONFIG_MAPS], excludeResourceRules }
    await validating({ matchConstraints, validations: [{ expression: 'false' }] })
    expect((await send({}, 'free')).status).toBe(201)
    expect((await send({}, 'bound')).status).toBe(422)
  })

  test('is evaluated with every parameter that its binding selects', async () => {
    await send({ max: '1' }, 'limit')
    await validating(
      {
        paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
        validations: [{ expression: 'object.data.size() <= int(params.data.max)' }],
      },
      { validationActions: ['Deny'], paramRef: { name: 'limit', parameterNotFoundAction: 'Deny' } },
      { ...CONFIG_MAPS, operations: ['CREATE'] },
    )
    expect((await send({ a: '' }, 'ok')).status).toBe(201)
    expect((await send({ a: '', b: '' }, 'large')).status).toBe(422)
    await api.send('DELETE', '/api/v1/namespaces/default/configmaps/limit')
    expect((await send({ a: '' }, 'missing')).json.message).toContain(
      'denied request: failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction',
    )
  })

  test('that fails to evaluate refuses, unless its failure policy is to ignore that', async () => {
    const failing = { validations: [{ expression: "object.data.nosuch == 'x'" }] }
    await validating(failing)
    expect((await send({ a: '' })).json.message).toContain(
      "denied request: expression 'object.data.nosuch == 'x'' resulted in error: no such key: nosuch",
    )
    const path = `${GROUP}/validatingadmissionpolicies/p`
    const headers = { 'content-type': 'application/merge-patch+json' }
    await api.send('PATCH', path, { headers, body: { spec: { failurePolicy: 'Ignore' } } })
    expect((await send({ a: '' })).status).toBe(201)
  })

  test('may ask the authorizer, and sees the old object of a deletion', async () => {
    const may = "authorizer.group('').resource('configmaps').namespace('default').check('delete').allowed()"
    const expression = `request.operation != 'DELETE' || (${may} && oldObject.data.a == 'yes' && object == null)`
    await validating({ validations: [{ expression }] })
    await send({ a: 'yes' }, 'good')
    await send({ a: 'no' }, 'bad')
    expect((await api.send('DELETE', '/api/v1/namespaces/default/configmaps/good')).status).toBe(200)
    expect((await api.send('DELETE', '/api/v1/namespaces/default/configmaps/bad')).status).toBe(422)
  })

  test('that costs too much refuses', async () => {
    const expression = 'lists.range(100000).all(x, lists.range(100000).all(y, x + y >= 0))'
    await validating({ validations: [{ expression }] })
    expect((await send({})).json.message).toContain('operation cancelled: actual cost limit exceeded')
  })
})

describe('a mutating policy', () => {
  const container = { name: 'main', image: 'busybox' }
  const deployment = (name = 'd') => ({
    metadata: { name },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: 'd' } },
      template: { metadata: { labels: { app: 'd' } }, spec: { containers: [container] } },
    },
  })
  const post = (body: object = deployment()) =>
    api.send('POST', '/apis/apps/v1/namespaces/default/deployments', { body })
  const configuration = (expression: string) => ({
    patchType: 'ApplyConfiguration',
    applyConfiguration: { expression },
  })
  const patch = (expression: string) => ({ patchType: 'JSONPatch', jsonPatch: { expression } })

  test('merges the object its expression makes', async () => {
    await mutating({
      mutations: [
        configuration('Object{spec: Object.spec{replicas: 1337}}'),
        configuration("Object{metadata: Object.metadata{annotations: {'mutated-by': 'policy'}}}"),
        configuration(
          "Object{spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{containers: [Object.spec.template.spec.containers{name: 'side', image: 'x'}]}}}}",
        ),
      ],
    })
    const { status, json } = await post()
    expect(status).toBe(201)
    expect(json.spec.replicas).toBe(1337)
    expect(json.metadata.annotations).toEqual({ 'mutated-by': 'policy' })
    expect(json.spec.template.spec.containers).toMatchObject([
      { name: 'main', imagePullPolicy: 'Always' },
      { name: 'side', terminationMessagePath: '/dev/termination-log' },
    ])
  })

  test('does what its JSON patch says', async () => {
    await mutating({
      mutations: [
        patch("[JSONPatch{op: 'add', path: '/metadata/labels', value: {'a/b': 'c'}}]"),
        patch("[JSONPatch{op: 'replace', path: '/metadata/labels/' + jsonpatch.escapeKey('a/b'), value: 'd'}]"),
        patch(
          "[JSONPatch{op: 'test', path: '/spec/replicas', value: 7}, JSONPatch{op: 'remove', path: '/metadata/labels'}]",
        ),
        patch('[JSONPatch{op: "replace", path: "/spec/replicas", value: object.spec.replicas + 1}]'),
      ],
    })
    const { json } = await post()
    expect(json.metadata.labels).toEqual({ 'a/b': 'd' })
    expect(json.spec.replicas).toBe(2)
  })

  test('refuses atomic lists, wrong names and fields that do not exist', async () => {
    await mutating({ mutations: [configuration('Object{spec: Object.spec{nosuch: 1}}')] })
    const { status, json } = await post()
    expect(status).toBe(403)
    expect(json.message).toContain("policy 'p' with binding 'b' denied request: ")
    expect(json.message).toContain('.spec.nosuch: field not declared in schema')
    const change = async (expression: string) => {
      const headers = { 'content-type': 'application/merge-patch+json' }
      const body = { spec: { mutations: [configuration(expression)] } }
      await api.send('PATCH', `${GROUP}/mutatingadmissionpolicies/p`, { headers, body })
      return (await post()).json.message
    }
    expect(await change('Object{spec: Object.wrong{replicas: 1}}')).toContain(
      'type mismatch: unexpected type name "Object.wrong", expected "Object.spec"',
    )
    expect(
      await change("Object{spec: Object.spec{selector: Object.spec.selector{matchLabels: {'app': 'x'}}}}"),
    ).toContain('may not mutate atomic arrays, maps or structs: .spec.selector')
  })

  test('sees the object again when a later one has changed it', async () => {
    const grown = configuration(
      "Object{metadata: Object.metadata{annotations: {'n': string(object.metadata.?annotations[?'n'].orValue('').size() + 1)}}}",
    )
    await mutating({ reinvocationPolicy: 'IfNeeded', mutations: [grown] })
    const later = {
      metadata: { name: 'q' },
      spec: {
        reinvocationPolicy: 'Never',
        matchConstraints: { resourceRules: [DEPLOYMENTS] },
        mutations: [configuration('Object{spec: Object.spec{paused: true}}')],
      },
    }
    await created(`${GROUP}/mutatingadmissionpolicies`, later)
    await created(`${GROUP}/mutatingadmissionpolicybindings`, { metadata: { name: 'qb' }, spec: { policyName: 'q' } })
    const { json } = await post()
    expect(json.spec.paused).toBe(true)
    expect(json.metadata.annotations.n).toBe('2')
  })
})
