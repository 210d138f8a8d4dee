/** The whole request path behind a real TLS listener on 127.0.0.1, and a caller with an administrator's certificate. */

import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { Agent, request as requestHttps } from 'node:https'
import { expect } from 'vitest'
import { builtinResources } from '../../../src/apis/builtin.ts'
import { systemClock } from '../../../src/base/clock.ts'
import { type Logger, silentLogger } from '../../../src/base/log.ts'
import { createMetrics } from '../../../src/base/metrics.ts'
import { systemRandom } from '../../../src/base/random.ts'
import { anonymous } from '../../../src/server/auth/anonymous.ts'
import { inOrder, peerIdentity } from '../../../src/server/auth/authenticator.ts'
import { createCertificateAuthority } from '../../../src/server/auth/certificate-authority.ts'
import { rbacAuthorizer } from '../../../src/server/auth/rbac/rbac-authorizer.ts'
import { superusers } from '../../../src/server/auth/superusers.ts'
import { unionOf } from '../../../src/server/auth/union.ts'
import { filters } from '../../../src/server/filters/chain.ts'
import { createRequestMetrics } from '../../../src/server/filters/request-metrics.ts'
import { listen } from '../../../src/server/http.ts'
import { reviews } from '../../../src/server/reviews.ts'
import { fixedRoles } from '../../support/fixed-roles.ts'
import { createTestServer, type TestServer } from '../../support/test-server.ts'

export interface Answered {
  readonly status: number
  readonly text: string
}

export interface HostileServer extends AsyncDisposable {
  readonly server: TestServer
  /** Failures that the server had to log: there must be none, whatever is sent. */
  readonly errors: string[]
  /** The path goes out as it is. */
  send(method: string, path: string, body?: Uint8Array | string, type?: string): Promise<Answered>
}

export async function openHostileServer(): Promise<HostileServer> {
  const authority = await createCertificateAuthority('ca', { clock: systemClock, random: systemRandom })
  const served = await authority.issueServer({ commonName: 'server', names: ['127.0.0.1'] })
  const admin = await authority.issueClient({ commonName: 'admin', organizations: ['system:masters'] })
  const errors: string[] = []
  const log: Logger = {
    ...silentLogger,
    error: (message, fields) =>
      void errors.push(`${message} ${fields?.error instanceof Error ? fields.error.stack : ''}`),
    child: () => log,
  }
  const tokens = { review: () => Promise.resolve(undefined) }
  const rbac = rbacAuthorizer(fixedRoles())
  const authorizer = unionOf([superusers, rbac])
  const server = createTestServer(builtinResources, {
    subresources: reviews({ authorizer, rules: rbac, tokens }),
    filters: filters({
      clock: systemClock,
      random: systemRandom,
      log,
      authenticator: inOrder([peerIdentity], anonymous),
      authorizer,
      metrics: createRequestMetrics(createMetrics()),
    }),
    log,
  })
  const listener = await listen({
    handle: server.server.handle,
    hosts: ['127.0.0.1'],
    port: 0,
    tls: { certificate: served.certificate, key: served.key, clientCa: authority.certificate },
    http2: true,
    clock: systemClock,
    log,
  })
  const agent = new Agent({ keepAlive: true, ca: authority.certificate, cert: admin.certificate, key: admin.key })
  return {
    server,
    errors,
    async send(method, path, body, type = 'application/json') {
      const headers = body === undefined ? {} : { 'content-type': type, 'content-length': Buffer.byteLength(body) }
      const target = { host: '127.0.0.1', port: listener.port, method, path, headers, agent }
      const [response] = (await once(requestHttps(target).end(body), 'response')) as [IncomingMessage]
      const chunks: Buffer[] = []
      for await (const chunk of response) chunks.push(chunk)
      return { status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }
    },
    async [Symbol.asyncDispose]() {
      agent.destroy()
      await listener.close(0)
      await server[Symbol.asyncDispose]()
    },
  }
}

/** A refusal must be a Status that says the same as the status line; a path that is no resource's has only a text, or nothing. */
export function expectRefusal({ status, text }: Answered, context: string): void {
  expect(status, `${context}: ${text.slice(0, 500)}`).toBeGreaterThanOrEqual(400)
  expect(status, `${context}: ${text.slice(0, 500)}`).toBeLessThan(500)
  if (text === '404 page not found\n' || text === '') return
  expect(JSON.parse(text), context).toMatchObject({
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    code: status,
    message: expect.any(String),
    reason: expect.stringMatching(/^[A-Z]\w+$/),
  })
}
