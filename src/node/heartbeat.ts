/** Keeps the Node object and its Lease alive: registers, then renews until stopped. */

import { type Backoff, backoffMs } from '../base/backoff.ts'
import { type Clock, every } from '../base/clock.ts'
import type { Logger } from '../base/log.ts'
import type { Client } from '../client/client.ts'
import { LEASE_RENEW_MS, renewLease } from './lease.ts'
import { type NodeDescription, register, reportStatus } from './registration.ts'
import type { ContainerRuntime } from './runtime/runtime.ts'

export interface HeartbeatParts {
  readonly client: Client
  readonly runtime: ContainerRuntime
  readonly clock: Clock
  readonly log: Logger
  readonly description: NodeDescription
  /** What must happen between registering and being Ready: the node's network. */
  readonly whenRegistered: () => Promise<void>
}

/** The status is rewritten this often even when nothing changed; leases carry the heartbeat in between. */
const STATUS_REPORT_MS = 300_000
const REGISTER_RETRY: Backoff = { initialMs: 200, factor: 2, maxMs: 7_000 }

/** Resolves when the node is registered and Ready; renews until the signal aborts. */
export async function startHeartbeat(parts: HeartbeatParts, signal: AbortSignal): Promise<void> {
  const { client, runtime, clock, log, description } = parts
  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      await register(client, description)
      await parts.whenRegistered()
      await Promise.all([
        renewLease(client, clock, description.name),
        reportStatus(client, description, await runtime.images(), clock.now()),
      ])
      break
    } catch (error) {
      log.warn('the node could not be registered and tries again', { error: String(error) })
      await clock.sleep(backoffMs(REGISTER_RETRY, attempt), signal).catch(() => {})
    }
  }
  const logged = (what: string) => (error: unknown) => log.warn(`${what} failed`, { error: String(error) })
  every(clock, LEASE_RENEW_MS, signal, () =>
    renewLease(client, clock, description.name).catch(logged('renewing the lease')),
  )
  every(clock, STATUS_REPORT_MS, signal, async () => {
    await reportStatus(client, description, await runtime.images(), clock.now()).catch(
      logged('reporting the status of the node'),
    )
  })
}
