/** An API server in memory with its real filters and an audit log that is a list: what a policy logs of requests. */

import { builtinResources } from '../../../../src/apis/builtin.ts'
import { createFakeClock, type FakeClock } from '../../../../src/base/fake-clock.ts'
import { silentLogger } from '../../../../src/base/log.ts'
import { createMetrics } from '../../../../src/base/metrics.ts'
import { seededRandom } from '../../../../src/base/random.ts'
import { counted, createAuditMetrics } from '../../../../src/server/audit/auditing.ts'
import type { AuditEvent, Stage } from '../../../../src/server/audit/event.ts'
import { type AuditPolicy, auditPolicy } from '../../../../src/server/audit/policy.ts'
import { anonymous } from '../../../../src/server/auth/anonymous.ts'
import { inOrder, peerIdentity } from '../../../../src/server/auth/authenticator.ts'
import type { Authorizer } from '../../../../src/server/auth/authorizer.ts'
import { superusers } from '../../../../src/server/auth/superusers.ts'
import { filters } from '../../../../src/server/filters/chain.ts'
import { createRequestMetrics } from '../../../../src/server/filters/request-metrics.ts'
import type { ServerDependencies } from '../../../../src/server/server.ts'
import {
  ADMIN,
  type Answer,
  createTestServer,
  type SendOptions,
  type TestServer,
} from '../../../support/test-server.ts'

export interface AuditedServer extends AsyncDisposable {
  readonly api: TestServer
  /** Of filters and events; requests have the one of `api`. */
  readonly clock: FakeClock
  /** What was logged since it was last asked. */
  logged(): readonly AuditEvent[]
  metrics(): Promise<string>
  /** As the administrator, unless `peer` says otherwise. */
  send(method: string, url: string, options?: SendOptions): Promise<Answer>
}

export interface AuditedOptions extends Partial<ServerDependencies> {
  /** Whether an event is kept; absent: all are. */
  readonly accepts?: (stage: Stage) => boolean
  /** Absent: superusers may do everything, others nothing. */
  readonly authorizer?: Authorizer
}

export function auditedServer(
  policy: AuditPolicy,
  { accepts = () => true, authorizer = superusers, ...overrides }: AuditedOptions = {},
): AuditedServer {
  const metrics = createMetrics()
  const audits = createAuditMetrics(metrics)
  const clock = createFakeClock()
  const lines: string[] = []
  const auditing = {
    decide: counted(auditPolicy(policy), audits),
    sink: {
      accept: ({ stage, text }: { readonly stage: Stage; readonly text: string }) => {
        if (accepts(stage)) lines.push(text)
        return accepts(stage)
      },
      [Symbol.asyncDispose]: async () => {},
    },
    metrics: audits,
    clock,
    log: silentLogger,
  }
  const parts = { clock, random: seededRandom(1), log: silentLogger, auditing }
  const api = createTestServer(builtinResources, {
    filters: filters({
      ...parts,
      authenticator: inOrder([peerIdentity], anonymous),
      authorizer,
      metrics: createRequestMetrics(metrics),
    }),
    ...overrides,
  })
  return {
    api,
    clock,
    // Lines are what the log makes of events.
    logged: () => lines.splice(0).map((line) => JSON.parse(line) as AuditEvent),
    metrics: () => metrics.text(),
    send: (method, url, options = {}) => api.send(method, url, { peer: ADMIN, ...options }),
    [Symbol.asyncDispose]: () => api[Symbol.asyncDispose](),
  }
}

/** A policy of one level for everything. */
export function everything(level: string, more: object = {}): AuditPolicy {
  return { rules: [{ level, ...more }] }
}
