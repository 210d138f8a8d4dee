/** The list of authorizers changes while the server runs; what is wrong changes nothing. */

import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../../../../src/base/clock.ts'
import { encodeYaml } from '../../../../src/machinery/wire/yaml.ts'
import type { KeyPair } from '../../../../src/server/auth/certificate-authority.ts'
import { type OpenedControlPlane, openControlPlane } from '../../../support/control-plane.ts'

let stack: AsyncDisposableStack
let config: string
beforeEach(async () => {
  stack = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 't8s-authz-'))
  stack.defer(() => rm(folder, { recursive: true, force: true }))
  config = join(folder, 'authorization.yaml')
})
afterEach(() => stack.disposeAsync())

const rbac = { type: 'RBAC', name: 'rbac' }
const node = { type: 'Node', name: 'node' }
const deny = { type: 'AlwaysDeny', name: 'alwaysdeny' }

async function write(...authorizers: readonly object[]): Promise<void> {
  const head = { apiVersion: 'apiserver.config.k8s.io/v1', kind: 'AuthorizationConfiguration' }
  await writeFile(`${config}.new`, encodeYaml({ ...head, authorizers }))
  await rename(`${config}.new`, config)
}

const open = () => openControlPlane({ config: { security: { authorization: { config } } } })

/** Resolves when the server has looked at so many new files. */
async function reloads(server: OpenedControlPlane, as: KeyPair, status: string, times: number): Promise<void> {
  const line = `apiserver_authorization_config_controller_automatic_reloads_total{status="${status}"} ${times}`
  while (!(await server.ask('GET', '/metrics', { as })).text.includes(line)) await systemClock.sleep(50)
}

test('a new list takes the place of the old one, an invalid one does not', async () => {
  await write(rbac)
  const server = stack.use(await open())
  const root = await server.user('root', 'system:masters')
  const jane = await server.user('jane', 't8s:admins')
  const list = async () => (await server.ask('GET', '/api/v1/pods', { as: jane })).status
  expect(await list()).toBe(200)
  await write({ ...rbac, name: 'mine' })
  await reloads(server, root, 'failure', 1)
  await write(node)
  await reloads(server, root, 'failure', 2)
  expect(await list()).toBe(200)
  await write(deny, rbac)
  await reloads(server, root, 'success', 1)
  const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview' }
  const spec = { user: 'joe', resourceAttributes: { verb: 'get', resource: 'pods' } }
  const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews'
  const answer = await server.ask('POST', path, { as: jane, body: { ...review, spec } })
  expect(answer.json.status).toEqual({ allowed: false, reason: 'Everything is forbidden.' })
})

test('a cluster does not start with a list that is wrong, and says what is', async () => {
  await write({ type: 'AlwaysAllow', name: 'alwaysallow' }, rbac, rbac)
  await expect(open()).rejects.toThrow(
    `${config} cannot be used:\n` +
      '  authorizers[0].type: Forbidden: an authorizer that allows everything is not part of this server\n' +
      '  authorizers[2].type: Duplicate value: "RBAC"',
  )
  await write({ ...rbac, nane: 'x' })
  await expect(open()).rejects.toThrow('authorizers[0]: unknown field "nane"')
})
