/** Keeps the Node object and its Lease alive: registers, then renews until stopped. */

import type { Node } from '../apis/core/types.gen.ts'
import { type Backoff, backoffMs } from '../base/backoff.ts'
import { type Clock, every } from '../base/clock.ts'
import { deadline, orAborted } from '../base/deadline.ts'
import { messageOf } from '../base/error-text.ts'
import type { Logger } from '../base/log.ts'
import type { Client } from '../client/client.ts'
import { LEASE_RENEW_MS, renewLease } from './lease.ts'
import {
  HEALTHY,
  type NodeDescription,
  type NodeHealth,
  register,
  reportStatus,
  STATUS_CHECK_MS,
} from './registration.ts'
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

const REGISTER_RETRY: Backoff = { initialMs: 200, factor: 2, maxMs: 7_000 }
/** An engine that takes longer than this to name its version counts as down. */
const RUNTIME_ANSWER_MS = 5_000
const NO_NETWORK: NodeHealth = { ready: false, message: 'container runtime network not ready' }

/** Resolves when the node is registered and Ready; renews until the signal aborts. */
export async function startHeartbeat(parts: HeartbeatParts, signal: AbortSignal): Promise<void> {
  const { client, clock, log, description } = parts
  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      const node = await register(client, description)
      // The agent of a Ready node was started anew: its pods run, and must not lose their traffic for that.
      if (!isReady(node)) await report(parts, NO_NETWORK)
      await parts.whenRegistered()
      await Promise.all([renewLease(client, clock, description.name), report(parts, await healthOf(parts))])
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
  every(clock, STATUS_CHECK_MS, signal, async () => {
    await report(parts, await healthOf(parts)).catch(logged('reporting the status of the node'))
  })
}

function isReady({ status }: Node): boolean {
  return status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false
}

async function report({ client, runtime, clock, description }: HeartbeatParts, health: NodeHealth): Promise<void> {
  const images = health.ready ? await runtime.images() : undefined
  await reportStatus(client, description, { images, health, nowMs: clock.now() })
}

async function healthOf({ runtime, clock }: HeartbeatParts): Promise<NodeHealth> {
  using limit = deadline(clock, RUNTIME_ANSWER_MS)
  try {
    await orAborted(runtime.version(), limit.signal)
    return HEALTHY
  } catch (error) {
    return { ready: false, message: `container runtime is down: ${messageOf(error)}` }
  }
}
