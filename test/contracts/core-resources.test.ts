/** What is particular to pods, services, namespaces and service accounts on the server's side of the API. */

import { describe, expect, test } from 'vitest'
import { bindings } from '../../src/apis/core/binding.ts'
import { configMaps } from '../../src/apis/core/config-map.ts'
import { namespaces } from '../../src/apis/core/namespace.ts'
import { nodes } from '../../src/apis/core/node.ts'
import { pods } from '../../src/apis/core/pod/definition.ts'
import { services } from '../../src/apis/core/service/definition.ts'
import { serviceAccounts } from '../../src/apis/core/service-account.ts'
import { podDisruptionBudgets } from '../../src/apis/policy/pod-disruption-budget.ts'
import { builtinPlugins } from '../../src/server/admission/chain.ts'
import type { AdmissionPlugin } from '../../src/server/admission/plugin.ts'
import { createTestServer } from '../support/test-server.ts'

const DEFAULT = '/api/v1/namespaces/default'
const definitions = [namespaces, nodes, pods, services, serviceAccounts, configMaps, bindings]
const pod = (name: string, spec: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: { containers: [{ name: 'c', image: 'busybox' }], ...spec },
})
const service = (name: string, spec: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { ports: [{ port: 80 }], selector: { app: 'x' }, ...spec },
})

const plain = () => createTestServer(definitions)

async function withPolicy() {
  const server = createTestServer(definitions, { plugins: builtinPlugins })
  await server.send('POST', '/api/v1/namespaces', { body: { metadata: { name: 'default' } } })
  await server.send('POST', `${DEFAULT}/serviceaccounts`, { body: { metadata: { name: 'default' } } })
  return server
}

describe('deleting pods', () => {
  test('a pod without a node goes at once', async () => {
    await using server = plain()
    await server.send('POST', `${DEFAULT}/pods`, { body: pod('a') })
    const answer = await server.send('DELETE', `${DEFAULT}/pods/a`)
    expect(answer.json).toMatchObject({ kind: 'Pod', metadata: { deletionGracePeriodSeconds: 0 } })
    expect((await server.send('GET', `${DEFAULT}/pods/a`)).status).toBe(404)
  })

  test('a pod on a node gets its grace, which may only be shortened', async () => {
    await using server = plain()
    await server.send('POST', `${DEFAULT}/pods`, { body: pod('a', { nodeName: 'n' }) })
    const first = (await server.send('DELETE', `${DEFAULT}/pods/a`)).json.metadata
    expect(first).toMatchObject({
      deletionTimestamp: '2026-01-01T00:00:30Z',
      deletionGracePeriodSeconds: 30,
      generation: 2,
    })
    const longer = await server.send('DELETE', `${DEFAULT}/pods/a?gracePeriodSeconds=60`)
    expect(longer.json.metadata.resourceVersion).toBe(first.resourceVersion)
    const shorter = await server.send('DELETE', `${DEFAULT}/pods/a?gracePeriodSeconds=5`)
    expect(shorter.json.metadata).toMatchObject({
      deletionTimestamp: '2026-01-01T00:00:05Z',
      deletionGracePeriodSeconds: 5,
    })
    await server.send('DELETE', `${DEFAULT}/pods/a?gracePeriodSeconds=0`)
    expect((await server.send('GET', `${DEFAULT}/pods/a`)).status).toBe(404)
  })

  test('an eviction is a delete', async () => {
    await using server = plain()
    await server.send('POST', `${DEFAULT}/pods`, { body: pod('a') })
    const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'a' } }
    const answer = await server.send('POST', `${DEFAULT}/pods/a/eviction`, { body })
    expect([answer.status, answer.json.status]).toEqual([201, 'Success'])
    expect((await server.send('GET', `${DEFAULT}/pods/a`)).status).toBe(404)
  })
})

test('a disruption budget refuses evictions once it is used up', async () => {
  await using server = createTestServer([...definitions, podDisruptionBudgets])
  for (const name of ['a', 'b']) {
    await server.send('POST', `${DEFAULT}/pods`, { body: { ...pod(name), metadata: { name, labels: { app: 'x' } } } })
    const headers = { 'content-type': 'application/merge-patch+json' }
    const body = { status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } }
    await server.send('PATCH', `${DEFAULT}/pods/${name}/status`, { body, headers })
  }
  const budgets = '/apis/policy/v1/namespaces/default/poddisruptionbudgets'
  const budget = { metadata: { name: 'p' }, spec: { minAvailable: 1, selector: { matchLabels: { app: 'x' } } } }
  const created = (await server.send('POST', budgets, { body: budget })).json
  const status = {
    disruptionsAllowed: 1,
    currentHealthy: 2,
    desiredHealthy: 1,
    expectedPods: 2,
    observedGeneration: created.metadata.generation,
  }
  const put = await server.send('PUT', `${budgets}/p/status`, { body: { ...created, status } })
  expect(put.status).toBe(200)
  const evictions = ['a', 'b'].map((name) => `${DEFAULT}/pods/${name}/eviction`)
  const answers = []
  for (const url of evictions) answers.push(await server.send('POST', url, { body: {} }))
  expect(answers.map((answer) => answer.status)).toEqual([201, 429])
  expect(answers[1]?.json).toMatchObject({
    message: "Cannot evict pod as it would violate the pod's disruption budget.",
    details: { causes: [{ reason: 'DisruptionBudget' }] },
  })
  const charged = (await server.send('GET', `${budgets}/p`)).json.status
  expect([charged.disruptionsAllowed, Object.keys(charged.disruptedPods)]).toEqual([0, ['a']])
})

describe('parts of pods', () => {
  test('ephemeral containers are added and stay as they are', async () => {
    await using server = plain()
    await server.send('POST', `${DEFAULT}/pods`, { body: pod('a') })
    const headers = { 'content-type': 'application/strategic-merge-patch+json' }
    const url = `${DEFAULT}/pods/a/ephemeralcontainers`
    const add = {
      spec: { ephemeralContainers: [{ name: 'debug', image: 'busybox' }], containers: [{ name: 'c', image: 'x' }] },
    }
    const added = (await server.send('PATCH', url, { body: add, headers })).json
    expect(added.spec.ephemeralContainers).toMatchObject([{ name: 'debug' }])
    expect([added.spec.containers[0].image, added.metadata.generation]).toEqual(['busybox', 2])
    const change = { spec: { ephemeralContainers: [{ name: 'debug', image: 'other' }] } }
    const refused = await server.send('PATCH', url, { body: change, headers })
    expect([refused.status, refused.json.message]).toEqual([422, expect.stringContaining('may not be changed')])
  })

  test('resize changes resources alone', async () => {
    await using server = plain()
    const resources = { requests: { cpu: '1' } }
    await server.send('POST', `${DEFAULT}/pods`, {
      body: pod('a', { containers: [{ name: 'c', image: 'busybox', resources }] }),
    })
    const headers = { 'content-type': 'application/strategic-merge-patch+json' }
    const body = { spec: { containers: [{ name: 'c', image: 'x', resources: { requests: { cpu: '2' } } }] } }
    const { spec } = (await server.send('PATCH', `${DEFAULT}/pods/a/resize`, { body, headers })).json
    expect(spec.containers[0]).toMatchObject({ image: 'busybox', resources: { requests: { cpu: '2' } } })
  })
})

describe('binding pods', () => {
  const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'a' }, target: { kind: 'Node', name: 'n' } }

  test.each([`${DEFAULT}/pods/a/binding`, `${DEFAULT}/bindings`])('through %s, once', async (url) => {
    await using server = plain()
    await server.send('POST', `${DEFAULT}/pods`, { body: pod('a') })
    expect((await server.send('POST', url, { body: binding })).status).toBe(201)
    const bound = (await server.send('GET', `${DEFAULT}/pods/a`)).json
    expect(bound.spec.nodeName).toBe('n')
    expect(bound.status.conditions).toMatchObject([{ type: 'PodScheduled', status: 'True' }])
    const again = await server.send('POST', url, { body: binding })
    expect([again.status, again.json.message]).toEqual([
      409,
      'Operation cannot be fulfilled on pods/binding "a": pod a is already assigned to node "n"',
    ])
  })

  test('writes no more than the node, what the binding brings, and that it is so', async () => {
    await using server = plain()
    await server.send('POST', `${DEFAULT}/pods`, { body: pod('a') })
    const conditions = [
      { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: 'full' },
      { type: 'Mine', status: 'True' },
    ]
    const before = (
      await server.send('PATCH', `${DEFAULT}/pods/a/status`, {
        headers: { 'content-type': 'application/merge-patch+json' },
        body: { status: { conditions, nominatedNodeName: 'other' } },
      })
    ).json
    const brought = { ...binding.metadata, annotations: { b: '2' }, labels: { zone: 'z' } }
    await server.send('POST', `${DEFAULT}/pods/a/binding`, { body: { ...binding, metadata: brought } })
    const bound = (await server.send('GET', `${DEFAULT}/pods/a`)).json
    const { nominatedNodeName: _, ...status } = before.status
    expect(bound).toEqual({
      ...before,
      metadata: {
        ...before.metadata,
        annotations: { b: '2' },
        labels: { zone: 'z' },
        resourceVersion: bound.metadata.resourceVersion,
      },
      spec: { ...before.spec, nodeName: 'n' },
      status: {
        ...status,
        conditions: [
          { type: 'PodScheduled', status: 'True', lastProbeTime: null, lastTransitionTime: expect.any(String) },
          expect.objectContaining({ type: 'Mine' }),
        ],
      },
    })
  })

  test.each([
    ['uid', 'UID', '11111111-1111-1111-1111-111111111111'],
    ['resourceVersion', 'ResourceVersion', '999999'],
  ])('refuses a pod of another %s', async (field, name, value) => {
    await using server = plain()
    const { metadata } = (await server.send('POST', `${DEFAULT}/pods`, { body: pod('a') })).json
    const bindAs = (expected: string) =>
      server.send('POST', `${DEFAULT}/pods/a/binding`, {
        body: { ...binding, metadata: { name: 'a', [field]: expected } },
      })
    const refused = await bindAs(value)
    expect([refused.status, refused.json.message]).toEqual([
      409,
      'Operation cannot be fulfilled on pods "a": StorageError: invalid object, Code: 4, Key: /registry/pods/default/a, ' +
        `ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: ${name} in precondition: ${value}, ` +
        `${name} in object meta: ${metadata[field]}`,
    ])
    expect((await bindAs(metadata[field])).status).toBe(201)
  })

  test('asks plugins about the binding, and not about the pod', async () => {
    const asked: (string | undefined)[] = []
    const listening: AdmissionPlugin = {
      name: 'Listening',
      operations: ['CREATE', 'UPDATE'],
      validate: ({ operation, subresource, object }) => {
        asked.push(`${operation} ${subresource} ${object?.kind}`)
      },
    }
    await using server = createTestServer(definitions, { plugins: () => [listening] })
    await server.send('POST', `${DEFAULT}/pods`, { body: pod('a') })
    asked.length = 0
    await server.send('POST', `${DEFAULT}/pods/a/binding`, { body: binding })
    expect(asked).toEqual(['CREATE binding Binding'])
  })
})

test('what is only asked is never stored', async () => {
  await using server = createTestServer([bindings])
  const body = { metadata: { name: 'a' }, target: { name: 'n' } }
  expect((await server.send('POST', `${DEFAULT}/bindings`, { body })).status).toBe(404)
  expect(server.storage.head).toBe(0)
})

describe('service addresses', () => {
  test('come from the range, are kept by updates and freed by deletes', async () => {
    await using server = plain()
    const created = (await server.send('POST', `${DEFAULT}/services`, { body: service('a', { type: 'NodePort' }) }))
      .json
    expect(created.spec.clusterIP).toMatch(/^10\.96\./)
    expect(created.spec).toMatchObject({
      clusterIPs: [created.spec.clusterIP],
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
    })
    const [{ nodePort }] = created.spec.ports
    expect(nodePort).toBeGreaterThanOrEqual(30_086)
    const updated = (await server.send('PUT', `${DEFAULT}/services/a`, { body: service('a', { type: 'NodePort' }) }))
      .json
    expect(updated.spec).toEqual(created.spec)
    const wanted = service('b', { clusterIP: created.spec.clusterIP })
    const taken = await server.send('POST', `${DEFAULT}/services`, { body: wanted })
    expect([taken.status, taken.json.message]).toEqual([
      422,
      expect.stringContaining('provided IP is already allocated'),
    ])
    await server.send('DELETE', `${DEFAULT}/services/a`)
    expect((await server.send('POST', `${DEFAULT}/services`, { body: wanted })).status).toBe(201)
  })

  test('outside of the range are refused, ports too', async () => {
    await using server = plain()
    const address = await server.send('POST', `${DEFAULT}/services`, { body: service('a', { clusterIP: '10.0.0.1' }) })
    expect(address.json.message).toContain('The range of valid IPs is 10.96.0.0/16')
    const spec = { type: 'NodePort', ports: [{ port: 80, nodePort: 80 }] }
    const port = await server.send('POST', `${DEFAULT}/services`, { body: service('a', spec) })
    expect(port.json.message).toContain('The range of valid ports is 30000-32767')
  })

  test('default/kubernetes gets the first one; a dry run takes none', async () => {
    await using server = plain()
    const url = `${DEFAULT}/services`
    const dry = await server.send('POST', `${url}?dryRun=All`, { body: service('x', { clusterIP: '10.96.0.1' }) })
    expect(dry.status).toBe(201)
    expect((await server.send('POST', url, { body: service('kubernetes') })).json.spec.clusterIP).toBe('10.96.0.1')
    expect((await server.send('POST', url, { body: service('none', { clusterIP: 'None' }) })).json.spec.clusterIP).toBe(
      'None',
    )
  })
})

describe('namespaces', () => {
  test('objects need one that exists and stays', async () => {
    await using server = await withPolicy()
    const missing = await server.send('POST', '/api/v1/namespaces/other/configmaps', {
      body: { metadata: { name: 'a' } },
    })
    expect([missing.status, missing.json.message]).toEqual([404, 'namespaces "other" not found'])
    const immortal = await server.send('DELETE', '/api/v1/namespaces/default')
    expect([immortal.status, immortal.json.message]).toEqual([
      403,
      'namespaces "default" is forbidden: this namespace may not be deleted',
    ])
  })

  test('a deleted one is Terminating until it is finalized', async () => {
    await using server = await withPolicy()
    await server.send('POST', '/api/v1/namespaces', { body: { metadata: { name: 'x' } } })
    const deleted = (await server.send('DELETE', '/api/v1/namespaces/x')).json
    expect(deleted).toMatchObject({ kind: 'Namespace', status: { phase: 'Terminating' } })
    const refused = await server.send('POST', '/api/v1/namespaces/x/configmaps', { body: { metadata: { name: 'a' } } })
    expect(refused.json).toMatchObject({
      code: 403,
      message:
        'configmaps "a" is forbidden: unable to create new content in namespace x because it is being terminated',
      details: { causes: [{ reason: 'NamespaceTerminating' }] },
    })
    const body = { ...deleted, spec: { finalizers: [] } }
    expect((await server.send('PUT', '/api/v1/namespaces/x/finalize', { body })).status).toBe(200)
    expect((await server.send('GET', '/api/v1/namespaces/x')).status).toBe(404)
  })
})

describe('policy for pods', () => {
  test('they get an account with its token, a priority and tolerations', async () => {
    await using server = await withPolicy()
    const { spec } = (await server.send('POST', `${DEFAULT}/pods`, { body: pod('a') })).json
    expect(spec).toMatchObject({ serviceAccountName: 'default', priority: 0, preemptionPolicy: 'PreemptLowerPriority' })
    expect(spec.volumes[0].name).toMatch(/^kube-api-access-[a-z0-9]{5}$/)
    expect(spec.containers[0].volumeMounts).toEqual([
      { name: spec.volumes[0].name, readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' },
    ])
    expect(spec.tolerations.map(({ tolerationSeconds }: { tolerationSeconds: number }) => tolerationSeconds)).toEqual([
      300, 300,
    ])
  })

  test('not without the account, and not of an unknown class', async () => {
    await using server = await withPolicy()
    const account = await server.send('POST', `${DEFAULT}/pods`, { body: pod('a', { serviceAccountName: 'no' }) })
    expect(account.json.message).toBe(
      'pods "a" is forbidden: error looking up service account default/no: serviceaccount "no" not found',
    )
    const unknown = await server.send('POST', `${DEFAULT}/pods`, { body: pod('a', { priorityClassName: 'no' }) })
    expect(unknown.json.message).toBe('pods "a" is forbidden: no PriorityClass with name no was found')
  })

  test('a new node is not ready', async () => {
    await using server = await withPolicy()
    const node = (await server.send('POST', '/api/v1/nodes', { body: { metadata: { name: 'n' } } })).json
    expect(node.spec.taints).toEqual([{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }])
  })

  test('tokens are issued for accounts', async () => {
    await using server = await withPolicy()
    const url = `${DEFAULT}/serviceaccounts/default/token`
    const answer = await server.send('POST', url, { body: { spec: { audiences: ['a'] } } })
    expect([answer.status, answer.json.status]).toEqual([
      201,
      { token: 'signed', expirationTimestamp: '2026-01-01T01:00:00Z' },
    ])
    const short = await server.send('POST', url, { body: { spec: { audiences: [], expirationSeconds: 5 } } })
    expect(short.json.message).toContain('may not specify a duration less than 10 minutes')
  })
})
