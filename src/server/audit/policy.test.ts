import { describe, expect, test } from 'vitest'
import type { UserInfo } from '../../machinery/wire/message.ts'
import type { RequestTarget } from '../auth/authorizer.ts'
import { type AuditPolicy, type AuditRule, auditPolicy, policyErrors } from './policy.ts'

const jane: UserInfo = { name: 'jane', groups: ['devs', 'system:authenticated'] }

/** `get pods/log shop/web` as a request; without a namespace the place starts with a slash. */
function request(text: string, group = ''): RequestTarget {
  const [verb = '', what = '', place = '/'] = text.split(' ')
  const [resource = '', subresource = ''] = what.split('/')
  const [namespace = '', name = ''] = place.split('/')
  return { type: 'resource', path: '', verb, group, version: 'v1', namespace, resource, subresource, name }
}

const path = (text: string, verb = 'get'): RequestTarget => ({ type: 'path', path: text, verb })
const core = (...resources: readonly string[]): AuditRule => ({ resources: [{ group: '', resources }] })

describe('a rule matches', () => {
  test.each<readonly [string, AuditRule, RequestTarget, boolean]>([
    ['everything when it says nothing', {}, request('get pods'), true],
    ['paths too when it says nothing', {}, path('/livez'), true],
    ['a user', { users: ['joe', 'jane'] }, request('get pods'), true],
    ['no other user', { users: ['joe'] }, request('get pods'), false],
    ['a group of the user', { userGroups: ['devs'] }, request('get pods'), true],
    ['no other group', { userGroups: ['ops'] }, request('get pods'), false],
    ['user and group together only', { users: ['jane'], userGroups: ['ops'] }, request('get pods'), false],
    ['a verb', { verbs: ['list', 'get'] }, request('get pods'), true],
    ['no other verb', { verbs: ['list'] }, request('get pods'), false],
    ['a namespace', { namespaces: ['shop'] }, request('get pods shop/web'), true],
    ['no other namespace', { namespaces: ['other'] }, request('get pods shop/web'), false],
    ['what is in no namespace', { namespaces: [''] }, request('get nodes'), true],
    ['no path by a namespace', { namespaces: [''] }, path('/livez'), false],
    ['a resource', core('pods'), request('get pods'), true],
    ['no subresource by its resource', core('pods'), request('get pods/log'), false],
    ['a subresource', core('pods/log'), request('get pods/log'), true],
    ['subresources of a resource, and that', core('pods/*'), request('get pods/log'), true],
    ['the resource itself by its subresources', core('pods/*'), request('get pods'), true],
    ['a subresource of every resource', core('*/log'), request('get pods/log'), true],
    ['no resource by a subresource of all', core('*/log'), request('get pods'), false],
    ['everything in a group', { resources: [{ group: 'apps' }] }, request('get deployments/scale', 'apps'), true],
    ['nothing of another group', { resources: [{ group: 'apps' }] }, request('get pods'), false],
    ['all resources', core('*'), request('get pods/log'), true],
    ['all groups', { resources: [{ group: '*', resources: ['*/status'] }] }, request('get jobs/status', 'batch'), true],
    ['the core group when it names none', { resources: [{ resources: ['pods'] }] }, request('get pods'), true],
    ['no path by a resource', core('*'), path('/livez'), false],
    ['a path', { nonResourceURLs: ['/livez'] }, path('/livez'), true],
    ['no path below it', { nonResourceURLs: ['/livez'] }, path('/livez/etcd'), false],
    ['paths that begin so', { nonResourceURLs: ['/livez*'] }, path('/livez/etcd'), true],
    ['all paths', { nonResourceURLs: ['*'] }, path('/livez'), true],
    ['no resource by a path', { nonResourceURLs: ['*'] }, request('get pods'), false],
  ])('%s', (_, rule, target, expected) => {
    const { level } = auditPolicy({ rules: [{ level: 'Metadata', ...rule }] })(jane, target)
    expect(level).toBe(expected ? 'Metadata' : 'None')
  })

  test('names of objects, in lists of one as well', () => {
    const resources = [{ group: '', resources: ['secrets'], resourceNames: ['key'] }]
    const decide = auditPolicy({ rules: [{ level: 'Metadata', resources }] })
    const list = { ...request('list secrets shop/'), selectedName: 'key' }
    const targets = [request('get secrets shop/key'), request('get secrets shop/other'), list, request('list secrets')]
    expect(targets.map((target) => decide(jane, target).level)).toEqual(['Metadata', 'None', 'Metadata', 'None'])
  })

  test('nobody by user or group', () => {
    const of = (rule: AuditRule) => auditPolicy({ rules: [{ level: 'Metadata', ...rule }] })(undefined, path('/')).level
    expect([of({ users: ['jane'] }), of({ userGroups: ['devs'] }), of({})]).toEqual(['None', 'None', 'Metadata'])
  })
})

test('the first rule decides, also that nothing is logged', () => {
  const rules = [{ level: 'None', verbs: ['get'] }, { level: 'Request', users: ['jane'] }, { level: 'Metadata' }]
  const decide = auditPolicy({ rules })
  const joe = { name: 'joe', groups: [] }
  expect(decide(jane, request('get pods')).level).toBe('None')
  expect(decide(jane, request('list pods')).level).toBe('Request')
  expect(decide(joe, request('list pods')).level).toBe('Metadata')
  expect(auditPolicy({})(jane, path('/')).level).toBe('None')
})

test('stages are left out by the policy and by the rule; notes of managers as the rule says, else the policy', () => {
  const rules = [
    { level: 'Metadata', omitStages: ['Panic'], omitManagedFields: false, verbs: ['get'] },
    { level: 'Metadata' },
  ]
  const decide = auditPolicy({ omitStages: ['RequestReceived'], omitManagedFields: true, rules })
  expect(decide(jane, path('/'))).toEqual({
    level: 'Metadata',
    omitStages: new Set(['RequestReceived', 'Panic']),
    omitManagedFields: false,
  })
  expect(decide(jane, path('/', 'head'))).toMatchObject({
    omitStages: new Set(['RequestReceived']),
    omitManagedFields: true,
  })
})

describe('a policy is refused', () => {
  const LEVELS = 'supported values: "None", "Metadata", "Request", "RequestResponse"'
  const STAGES = 'allowed stages are RequestReceived,ResponseStarted,ResponseComplete,Panic'
  test.each<readonly [string, AuditPolicy, string]>([
    ['without a level', { rules: [{}] }, 'rules[0].level: Required value'],
    ['for a level that is none', { rules: [{ level: 'All' }] }, `rules[0].level: Unsupported value: "All": ${LEVELS}`],
    ['for a stage that is none', { omitStages: ['Panic', 'End'] }, `omitStages[1]: Invalid value: "End": ${STAGES}`],
    [
      'for a stage of a rule that is none',
      { rules: [{ level: 'None', omitStages: ['End'] }] },
      `rules[0].omitStages[0]: Invalid value: "End": ${STAGES}`,
    ],
    [
      'for a path that does not begin at the root',
      { rules: [{ level: 'None', nonResourceURLs: ['*', 'livez'] }] },
      `rules[0].nonResourceURLs[1]: Invalid value: "livez": non-resource URL rules must begin with a '/' character`,
    ],
    [
      'for a wildcard within a path',
      { rules: [{ level: 'None', nonResourceURLs: ['/a*b'] }] },
      `rules[0].nonResourceURLs[0]: Invalid value: "/a*b": non-resource URL wildcards '*' must be the final character of the rule`,
    ],
    [
      'for paths and resources in one rule',
      { rules: [{ level: 'None', nonResourceURLs: ['/a'], namespaces: ['b'] }] },
      'rules[0].nonResourceURLs: Invalid value: ["/a"]: rules cannot apply to both regular resources and non-resource URLs',
    ],
    [
      'for names without resources',
      { rules: [{ level: 'None', resources: [{ group: '', resourceNames: ['a'] }] }] },
      'rules[0].resources.resourceNames: Invalid value: ["a"]: using resourceNames requires at least one resource',
    ],
  ])('%s', (_, policy, expected) => {
    expect(policyErrors(policy).map(({ path: place, message }) => `${place}: ${message}`)).toEqual([expected])
  })

  test('for a group with a version in it', () => {
    const [error] = policyErrors({ rules: [{ level: 'None', resources: [{ group: 'apps/v1' }] }] })
    expect(error).toMatchObject({ path: 'rules[0].resources.group', type: 'FieldValueInvalid' })
  })
})
