import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AuditSettings } from '../../../../src/cluster/security/settings.ts'
import type { AuditEvent } from '../../../../src/server/audit/event.ts'
import { type OpenedControlPlane, openControlPlane } from '../../../support/control-plane.ts'
import { startWebhookServer } from '../../../support/webhook-server.ts'

// Goal: where the events of a whole server are kept: in the cluster's folder without a word about it, in a file that
// is named, at a service. And what the usual policy keeps.

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 't8s-audit-kept-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

function open(storage: 'level' | 'memory', audit?: AuditSettings): Promise<OpenedControlPlane> {
  return openControlPlane({ home: folder, config: { name: 'audit', storage, security: audit ? { audit } : {} } })
}

/** An administrator's ordinary minute. */
async function used(server: OpenedControlPlane): Promise<void> {
  const as = await server.user('admin', 'system:masters')
  for (const path of ['/livez', '/version', '/api', '/apis/apps/v1', '/openapi/v3', '/metrics'])
    expect((await server.ask('GET', path, { as })).status).toBe(200)
  const body = { metadata: { name: 'prices' }, data: { tea: 'three' } }
  expect((await server.ask('POST', CONFIG_MAPS, { as, body })).status).toBe(201)
  await server.ask('GET', `${CONFIG_MAPS}/prices`, { as })
  await server.ask('GET', CONFIG_MAPS, { as: await server.user('system:node:a', 'system:nodes') })
}

const logPath = () => join(folder, 'audit', 'audit.log')
const parsed = (lines: string): readonly AuditEvent[] =>
  lines
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
const eventsIn = async (path: string) => parsed(await readFile(path, 'utf8'))
const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  )

describe('without a word about it', () => {
  test('a cluster on disk logs what people do, and what its components change', async () => {
    {
      await using server = await open('level')
      await used(server)
    }
    const events = await eventsIn(logPath())
    const byAdmin = events.filter(({ user }) => user.username === 'admin')
    expect(byAdmin.map(({ stage, level, verb, requestURI }) => `${level} ${stage} ${verb} ${requestURI}`)).toEqual([
      `Metadata ResponseComplete create ${CONFIG_MAPS}`,
      `Metadata ResponseComplete get ${CONFIG_MAPS}/prices`,
    ])
    expect(byAdmin.some((event) => 'requestObject' in event || 'responseObject' in event)).toBe(false)
    const others = events.filter(({ user }) => user.username?.startsWith('system:'))
    const verbs = new Set(others.map(({ verb }) => verb))
    expect([verbs.has('create'), verbs.has('get'), verbs.has('list'), verbs.has('watch')]).toEqual([
      true,
      false,
      false,
      false,
    ])
    expect(events.some(({ user }) => user.username === 'system:node:a')).toBe(false)
    expect((await stat(logPath())).mode & 0o777).toBe(0o600)
  })

  test('a cluster in memory logs nothing', async () => {
    {
      await using server = await open('memory')
      await used(server)
    }
    expect(await exists(logPath())).toBe(false)
  })
})

test('it is turned off, and on', async () => {
  {
    await using server = await open('level', { enabled: false })
    await used(server)
  }
  expect(await exists(logPath())).toBe(false)
  {
    await using server = await open('memory', { enabled: true })
    await used(server)
  }
  expect((await eventsIn(logPath())).length).toBeGreaterThan(0)
})

test('a policy that cannot be used is refused with everything that is wrong with it', async () => {
  const policy = join(folder, 'policy.yaml')
  const refusal = async (text: string) => {
    await writeFile(policy, text)
    return open('memory', { policy }).then(
      () => 'none',
      (error: Error) => error.message.replace(policy, 'FILE'),
    )
  }
  const head = 'apiVersion: audit.k8s.io/v1\nkind: Policy\n'
  expect(await refusal(`${head}rules:\n- level: All\n- levle: None\n`)).toBe(
    ['FILE cannot be used:', '  rules[1]: unknown field "levle"'].join('\n'),
  )
  expect(await refusal(`${head}rules:\n- level: All\n- nonResourceURLs: [livez]\n`)).toBe(
    [
      'FILE cannot be used:',
      '  rules[0].level: Unsupported value: "All": supported values: "None", "Metadata", "Request", "RequestResponse"',
      '  rules[1].level: Required value',
      `  rules[1].nonResourceURLs[0]: Invalid value: "livez": non-resource URL rules must begin with a '/' character`,
    ].join('\n'),
  )
  expect(await refusal(`${head}rules: []\n`)).toContain('loaded illegal policy with 0 rules')
  expect(await refusal('apiVersion: audit.k8s.io/v1beta1\nkind: Policy\n')).toContain('must be audit.k8s.io/v1')
})

describe('a service', () => {
  const kubeconfigFor = async (port: number, ca: string) => {
    const kubeconfig = join(folder, 'receiver.json')
    const cluster = { server: `https://127.0.0.1:${port}/events`, 'certificate-authority-data': ca }
    const context = { cluster: 'receiver', user: 'api' }
    const config = {
      ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'audit' },
      clusters: [{ name: 'receiver', cluster }],
      users: [{ name: 'api', user: { token: 'hello' } }],
      contexts: [{ name: 'audit', context }],
    }
    await writeFile(kubeconfig, JSON.stringify(config))
    return kubeconfig
  }

  test.each(['batch', 'blocking', 'blocking-strict'] as const)('gets every event: %s', async (mode) => {
    await using receiver = await startWebhookServer('receiver')
    const received: AuditEvent[] = []
    const requests: string[] = []
    receiver.answer = (request, response, body) => {
      const { kind, apiVersion, items } = JSON.parse(body)
      requests.push(`${request.method} ${request.url} ${request.headers.authorization} ${kind} ${apiVersion}`)
      received.push(...items)
      response.end('thank you')
    }
    {
      await using server = await open('memory', {
        webhook: { kubeconfig: await kubeconfigFor(receiver.port, receiver.caBundle), mode },
      })
      await used(server)
    }
    expect(new Set(requests)).toEqual(new Set(['POST /events Bearer hello EventList audit.k8s.io/v1']))
    const verbs = received.filter(({ user }) => user.username === 'admin').map(({ verb }) => verb)
    expect(verbs).toEqual(['create', 'get'])
    expect(requests.length < received.length).toBe(mode === 'batch')
    // Who names a service and no file wants no file.
    expect(await exists(logPath())).toBe(false)
  })
})
