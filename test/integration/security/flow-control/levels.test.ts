/** Priority levels of a whole API server: as its objects say, and as they say from the next request on. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { flowSchemas } from '../../../../src/apis/flowcontrol/flow-schema.ts'
import { priorityLevelConfigurations } from '../../../../src/apis/flowcontrol/priority-level-configuration.ts'
import type { Client } from '../../../../src/client/client.ts'
import { ADMINISTRATORS_GROUP } from '../../../../src/cluster/bootstrap-roles.ts'
import { SYSTEM } from '../../../../src/cluster/identities.ts'
import type { KeyPair } from '../../../../src/server/auth/certificate-authority.ts'
import { type OpenedControlPlane, openControlPlane } from '../../../support/control-plane.ts'

let plane: OpenedControlPlane
let client: Client
let root: KeyPair
let admin: KeyPair
let jane: KeyPair
beforeAll(async () => {
  plane = await openControlPlane()
  client = plane.controlPlane.clientAs(SYSTEM)
  root = await plane.user('root', 'system:masters')
  admin = await plane.user('admin', ADMINISTRATORS_GROUP)
  jane = await plane.user('jane')
})
afterAll(() => plane[Symbol.asyncDispose]())

/** Names of the schema and the level that the answer tells of. */
async function classified(as: KeyPair | undefined, method: string, path: string, body?: unknown) {
  const { status, headers } = await plane.ask(method, path, { as, body })
  const uids = [headers['x-kubernetes-pf-flowschema-uid'], headers['x-kubernetes-pf-prioritylevel-uid']]
  const [schemas, levels] = await Promise.all([
    client.of(flowSchemas).list(),
    client.of(priorityLevelConfigurations).list(),
  ])
  const nameOf = (uid: unknown) =>
    [...schemas.items, ...levels.items].find(({ metadata }) => metadata.uid === uid)?.metadata.name
  return [status, ...uids.map(nameOf)]
}

const PODS = '/api/v1/namespaces/default/pods'

describe('answers tell of the schema and the level', () => {
  test.each([
    ['of success', () => admin, 'GET', PODS, [200, 'global-default', 'global-default']],
    ['of what is not there', () => admin, 'GET', `${PODS}/a`, [404, 'global-default', 'global-default']],
    ['of what is not allowed', () => jane, 'GET', PODS, [403, 'global-default', 'global-default']],
    ['of what is not understood', () => admin, 'POST', PODS, [400, 'global-default', 'global-default']],
    ['of a superuser', () => root, 'GET', PODS, [200, 'exempt', 'exempt']],
    ['of a probe', () => undefined, 'GET', '/readyz', [200, 'probes', 'exempt']],
    ['of a watch', () => admin, 'GET', `${PODS}?watch=1&timeoutSeconds=1`, [200, 'global-default', 'global-default']],
  ])('%s', async (_, as, method, path, expected) => {
    expect(await classified(as(), method, path)).toEqual(expected)
  })

  test('but not where nobody is known', async () => {
    const { status, headers } = await plane.ask('GET', PODS, { headers: { authorization: 'Bearer none' } })
    expect(status).toBe(401)
    expect(headers).not.toHaveProperty('x-kubernetes-pf-flowschema-uid')
  })
})

test('objects take effect when they are written, changed and deleted', async () => {
  const limited = { nominalConcurrencyShares: 0, lendablePercent: 0, borrowingLimitPercent: 0 }
  await client.of(priorityLevelConfigurations).create({
    metadata: { name: 'mine' },
    spec: { type: 'Limited', limited: { ...limited, limitResponse: { type: 'Reject' } } },
  })
  const everything = { verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'], clusterScope: true }
  await client.of(flowSchemas).create({
    metadata: { name: 'for-jane' },
    spec: {
      priorityLevelConfiguration: { name: 'mine' },
      matchingPrecedence: 500,
      rules: [{ subjects: [{ kind: 'User', user: { name: 'jane' } }], resourceRules: [everything] }],
    },
  })
  await expect.poll(() => classified(jane, 'GET', PODS)).toEqual([403, 'for-jane', 'mine'])
  expect(await classified(admin, 'GET', PODS)).toEqual([200, 'global-default', 'global-default'])
  const text = (await plane.ask('GET', '/metrics', { as: admin })).text
  expect(text).toContain('apiserver_flowcontrol_nominal_limit_seats{priority_level="mine"} 0\n')
  expect(text).toMatch(
    /^apiserver_flowcontrol_dispatched_requests_total\{priority_level="mine",flow_schema="for-jane"\} [1-9]/m,
  )
  await client.of(priorityLevelConfigurations).delete({ name: 'mine' })
  await expect.poll(() => classified(jane, 'GET', PODS)).toEqual([403, 'global-default', 'global-default'])
  expect((await plane.ask('GET', '/metrics', { as: admin })).text).not.toContain('priority_level="mine"')
})

describe('what runs and waits', () => {
  const dump = (name: string, as: KeyPair) => plane.ask('GET', `/debug/api_priority_and_fairness/dump_${name}`, { as })

  test('is shown to administrators only', async () => {
    for (const name of ['priority_levels', 'queues', 'requests']) {
      expect((await dump(name, admin)).status).toBe(200)
      expect((await dump(name, jane)).status).toBe(403)
    }
  })

  test('has a line for each level, and for the request that asks', async () => {
    const levels = (await dump('priority_levels', admin)).text
    expect(levels.split('\n').map((line) => line.split(',')[0])).toEqual([
      ...['PriorityLevelName', 'catch-all', 'exempt', 'global-default', 'leader-election', 'node-high', 'system'],
      ...['workload-high', 'workload-low', ''],
    ])
    const requests = (await dump('requests?includeRequestDetails=1', admin)).text
    expect(requests).toMatch(/^global-default, +global-default, +\d+, +-1, +admin, .*dump_requests,/m)
  })
})
