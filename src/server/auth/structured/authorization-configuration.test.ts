import { expect, test } from 'vitest'
import { type AuthorizerConfiguration, configurationErrors, webhookPlanOf } from './authorization-configuration.ts'

const fileFinding = (path: string) => (path === '/it' ? undefined : 'error loading file: there is none')

const valid = {
  ...{ timeout: '3s', subjectAccessReviewVersion: 'v1', failurePolicy: 'Deny' },
  connectionInfo: { type: 'KubeConfigFile', kubeConfigFile: '/it' },
}
const webhook = (changed: object) => ({ type: 'Webhook', name: 'gate', webhook: { ...valid, ...changed } })
const rbac = { type: 'RBAC', name: 'rbac' }

function textsOf(...authorizers: readonly AuthorizerConfiguration[]): readonly string[] {
  return configurationErrors({ authorizers }, fileFinding).map(({ path, message }) => `${path}: ${message}`)
}

test('a configuration of several authorizers and webhooks is accepted', () => {
  const more = { ...webhook({ authorizedTTL: '0s', unauthorizedTTL: '1h' }), name: 'more' }
  expect(textsOf(webhook({}), { type: 'Node', name: 'node' }, more, rbac)).toEqual([])
})

test.each<readonly [string, readonly AuthorizerConfiguration[], string]>([
  ['nothing', [], 'authorizers: Required value: at least one authorization mode must be defined'],
  ['no type', [{ name: 'x' }], 'authorizers[0].type: Required value'],
  [
    'a strange type',
    [{ type: 'Magic', name: 'magic' }],
    'authorizers[0].type: Unsupported value: "Magic": supported values: "AlwaysDeny", "Node", "RBAC", "Webhook"',
  ],
  [
    'everything allowed',
    [{ type: 'AlwaysAllow', name: 'alwaysallow' }],
    'authorizers[0].type: Forbidden: an authorizer that allows everything is not part of this server',
  ],
  [
    'rules in a file',
    [{ type: 'ABAC', name: 'abac' }],
    'authorizers[0].type: Forbidden: rules in a file are not part of this server: say them as roles',
  ],
  ['a type twice', [rbac, rbac], 'authorizers[1].type: Duplicate value: "RBAC"'],
  ['no name', [{ type: 'RBAC' }], 'authorizers[0].name: Required value'],
  ['a name twice', [webhook({}), webhook({})], 'authorizers[1].name: Duplicate value: "gate"'],
  [
    'a name of its own',
    [{ type: 'RBAC', name: 'mine' }],
    'authorizers[0].name: Invalid value: "mine": expected name rbac for authorizer RBAC instead of mine',
  ],
  [
    'a name that is none',
    [{ ...webhook({}), name: 'A' }],
    'authorizers[0].name: Invalid value: "A": authorizer name is invalid: a lowercase RFC 1123 subdomain must consist of ' +
      "lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character " +
      "(e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
  ],
  [
    'no webhook',
    [{ type: 'Webhook', name: 'gate' }],
    'authorizers[0].webhook: Required value: required when type=Webhook',
  ],
  [
    'a webhook elsewhere',
    [{ ...rbac, webhook: valid }],
    'authorizers[0].webhook: Invalid value: "non-null": may only be specified when type=Webhook',
  ],
  ['no timeout', [webhook({ timeout: '0s' })], 'authorizers[0].timeout: Required value'],
  [
    'a long timeout',
    [webhook({ timeout: '31s' })],
    'authorizers[0].timeout: Invalid value: "31s": must be > 0s and <= 30s',
  ],
  [
    'a negative time to live',
    [webhook({ authorizedTTL: '-1m' })],
    'authorizers[0].authorizedTTL: Invalid value: "-1m0s": must be > 0s',
  ],
  [
    'a time that is none',
    [webhook({ unauthorizedTTL: 'soon' })],
    'authorizers[0].unauthorizedTTL: Invalid value: "soon": must be a duration such as 30s or 5m',
  ],
  [
    'a version that is none',
    [webhook({ subjectAccessReviewVersion: 'v2' })],
    'authorizers[0].subjectAccessReviewVersion: Unsupported value: "v2": supported values: "v1", "v1beta1"',
  ],
  ['no policy', [webhook({ failurePolicy: '' })], 'authorizers[0].failurePolicy: Required value'],
  [
    'a policy that is none',
    [webhook({ failurePolicy: 'Allow' })],
    'authorizers[0].failurePolicy: Unsupported value: "Allow": supported values: "NoOpinion", "Deny"',
  ],
  [
    'the server itself',
    [webhook({ connectionInfo: { type: 'InClusterConfig' } })],
    'authorizers[0].connectionInfo.type: Invalid value: "InClusterConfig": ' +
      'the API server would ask itself: name a kubeConfigFile',
  ],
  [
    'a relative path',
    [webhook({ connectionInfo: { type: 'KubeConfigFile', kubeConfigFile: 'it' } })],
    'authorizers[0].connectionInfo.kubeConfigFile: Invalid value: "it": must be an absolute path',
  ],
  [
    'a missing file',
    [webhook({ connectionInfo: { type: 'KubeConfigFile', kubeConfigFile: '/no' } })],
    'authorizers[0].connectionInfo.kubeConfigFile: Invalid value: "/no": error loading file: there is none',
  ],
  [
    'conditions without a version',
    [webhook({ matchConditions: [{ expression: 'true' }] })],
    'authorizers[0].matchConditionSubjectAccessReviewVersion: Required value: ' +
      'required if match conditions are specified',
  ],
  [
    'an expression twice',
    [conditional('true', 'true')],
    'authorizers[0].matchConditions[1].expression: Duplicate value: "true"',
  ],
  ['an empty expression', [conditional(' ')], 'authorizers[0].matchConditions[0].expression: Required value'],
  [
    'an expression that is no condition',
    [conditional('request.user')],
    'authorizers[0].matchConditions[0].expression: Invalid value: "request.user": must evaluate to bool but got string',
  ],
  [
    'too many conditions',
    [conditional(...Array.from({ length: 65 }, (_, index) => `${index} == 0`))],
    'authorizers[0].matchConditions: Too many: 65: must have at most 64 items',
  ],
])('%s is refused', (_, authorizers, text) => {
  expect(textsOf(...authorizers)).toEqual([text])
})

function conditional(...expressions: readonly string[]): AuthorizerConfiguration {
  return webhook({
    matchConditionSubjectAccessReviewVersion: 'v1',
    matchConditions: expressions.map((expression) => ({ expression })),
  })
}

test('an expression names fields that requests have', () => {
  const [text] = textsOf(conditional('request.resourceAttributes.kind == "Pod"'))
  expect(text).toContain("compilation failed: ERROR: <input>:1:27: undefined field 'kind'")
})

test('what is not said is as upstream has it', () => {
  expect(webhookPlanOf('gate', valid)).toEqual({
    ...{ name: 'gate', version: 'v1', timeoutMs: 3_000, authorizedMs: 300_000, unauthorizedMs: 30_000 },
    ...{ failureVerdict: 'deny', kubeconfig: '/it', expressions: [] },
  })
  const uncached = { ...valid, cacheAuthorizedRequests: false, unauthorizedTTL: '1m' }
  expect(webhookPlanOf('gate', uncached)).toMatchObject({ authorizedMs: 0, unauthorizedMs: 60_000 })
})
