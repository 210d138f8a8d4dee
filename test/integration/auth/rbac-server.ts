/** An API server in memory that authorizes by roles: requests as anybody, without sockets. */

import { builtinResources } from '../../../src/apis/builtin.ts'
import { namespaces } from '../../../src/apis/core/namespace.ts'
import { createFakeClock } from '../../../src/base/fake-clock.ts'
import { silentLogger } from '../../../src/base/log.ts'
import { createMetrics } from '../../../src/base/metrics.ts'
import { seededRandom } from '../../../src/base/random.ts'
import type { Client } from '../../../src/client/client.ts'
import { createLoopbackTransport } from '../../../src/client/loopback-transport.ts'
import { createClient } from '../../../src/client/resource-client.ts'
import { ensureRoles } from '../../../src/cluster/bootstrap-roles.ts'
import type { UserInfo } from '../../../src/machinery/wire/message.ts'
import { builtinPlugins } from '../../../src/server/admission/chain.ts'
import { inOrder, peerIdentity } from '../../../src/server/auth/authenticator.ts'
import type { Authorizer } from '../../../src/server/auth/authorizer.ts'
import { nodeAuthorizer } from '../../../src/server/auth/node/node-authorizer.ts'
import { rbacAuthorizer } from '../../../src/server/auth/rbac/rbac-authorizer.ts'
import { superusers } from '../../../src/server/auth/superusers.ts'
import { unionOf, unionOfRules } from '../../../src/server/auth/union.ts'
import { createNodeObjects, createRoleSource } from '../../../src/server/auth-sources.ts'
import { filters } from '../../../src/server/filters/chain.ts'
import { createRequestMetrics } from '../../../src/server/filters/request-metrics.ts'
import type { Registries } from '../../../src/server/registry/registries.ts'
import { reviews } from '../../../src/server/reviews.ts'
import { type Answer, createTestServer, type SendOptions, type TestServer } from '../../support/test-server.ts'

export interface RbacServer extends AsyncDisposable {
  readonly admin: Client
  as(name: string, ...groups: readonly string[]): Client
  /** As bytes, with headers. */
  send(user: UserInfo, method: string, url: string, options?: SendOptions): Promise<Answer>
  readonly server: TestServer
  /** Decides on its requests. */
  readonly authorizer: Authorizer
}

const ADMIN: UserInfo = { name: 'admin', groups: ['system:masters'] }

export async function openRbacServer(): Promise<RbacServer> {
  const late: { registries?: Registries } = {}
  const registries = () => {
    if (!late.registries) throw new Error('the server is there before it is asked')
    return late.registries
  }
  const rbac = rbacAuthorizer(createRoleSource(registries))
  const node = nodeAuthorizer(createNodeObjects(registries))
  const authorizer = unionOf([superusers, node, rbac])
  const clock = createFakeClock()
  const server = createTestServer(builtinResources, {
    authorization: { authorizer, roles: rbac },
    plugins: builtinPlugins,
    subresources: reviews({
      ...{ authorizer, rules: unionOfRules([node, rbac]) },
      tokens: { review: async () => undefined },
    }),
    filters: filters({
      ...{ clock, random: seededRandom(1), log: silentLogger, authorizer },
      authenticator: inOrder([peerIdentity]),
      metrics: createRequestMetrics(createMetrics()),
    }),
  })
  late.registries = server.server.registries
  const { handle } = server.server
  const clientOf = (user: UserInfo) => createClient(createLoopbackTransport(handle, user))
  const admin = clientOf(ADMIN)
  await ensureRoles({ registries: late.registries, client: admin, clock })
  for (const name of ['default', 'kube-system', 'a', 'b'])
    await admin.of(namespaces).create({ metadata: { name }, spec: {} })
  return {
    admin,
    server,
    authorizer,
    as: (name, ...groups) => clientOf({ name, groups: [...groups, 'system:authenticated'] }),
    send: (peer, method, url, options) => server.send(method, url, { ...options, peer }),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}
