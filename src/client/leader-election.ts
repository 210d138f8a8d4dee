/**
 * One leader among candidates, through a Lease: as client-go's elector. The holder renews; others take over when
 * the lease has not changed for its duration, measured on their own clock, so clocks need not agree.
 */

import { leases } from '../apis/coordination/lease.ts'
import type { Lease } from '../apis/coordination/types.gen.ts'
import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/log.ts'
import { isNotFound } from '../machinery/meta/api-error.ts'
import { keyOf, type ObjectKey } from '../machinery/meta/object.ts'
import { formatMicroTime } from '../machinery/meta/time.ts'
import type { Client } from './client.ts'

export interface LeaderElection {
  readonly client: Client
  readonly clock: Clock
  readonly log: Logger
  readonly lease: ObjectKey
  /** Unique among the candidates. */
  readonly identity: string
  readonly leaseDurationMs: number
  readonly retryPeriodMs: number
}

/** Who held the lease when this candidate last saw it change. */
interface Observation {
  readonly resourceVersion: string | undefined
  readonly atMs: number
}

/**
 * Waits to lead, then runs `lead` with a signal that aborts when leadership is lost; then starts over. Returns when
 * `signal` aborts, having given the lease back.
 */
export async function leadWhenElected(
  election: LeaderElection,
  signal: AbortSignal,
  lead: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  let observed: Observation = { resourceVersion: undefined, atMs: election.clock.monotonic() }
  while (!signal.aborted) {
    const held = await acquire(election, observed).catch((error: unknown) => logged(election, error, observed))
    observed = held.observed
    if (held.leading) await leadAndRenew(election, signal, lead)
    else await election.clock.sleep(election.retryPeriodMs, signal).catch(() => {})
  }
}

interface Attempt {
  readonly leading: boolean
  readonly observed: Observation
}

function logged({ log }: LeaderElection, error: unknown, observed: Observation): Attempt {
  log.debug('the lease could not be taken', { error: String(error) })
  return { leading: false, observed }
}

async function acquire(election: LeaderElection, observed: Observation): Promise<Attempt> {
  const client = election.client.of(leases)
  const current = await client.get(election.lease).catch(orUndefinedIfNotFound)
  if (!current) {
    await client.create({ metadata: { ...election.lease }, spec: heldBy(election, undefined) })
    return { leading: true, observed }
  }
  const seen = observe(election, observed, current)
  const { holderIdentity } = current.spec ?? {}
  const stale = election.clock.monotonic() - seen.atMs >= election.leaseDurationMs
  if (holderIdentity && holderIdentity !== election.identity && !stale) return { leading: false, observed: seen }
  await client.update({ ...current, spec: heldBy(election, current) })
  return { leading: true, observed: seen }
}

function observe({ clock }: LeaderElection, before: Observation, lease: Lease): Observation {
  const { resourceVersion } = lease.metadata
  return before.resourceVersion === resourceVersion ? before : { resourceVersion, atMs: clock.monotonic() }
}

function heldBy({ clock, identity, leaseDurationMs }: LeaderElection, previous: Lease | undefined): Lease['spec'] {
  const now = formatMicroTime(clock.now())
  const same = previous?.spec?.holderIdentity === identity
  return {
    holderIdentity: identity,
    leaseDurationSeconds: Math.ceil(leaseDurationMs / 1000),
    acquireTime: same ? previous?.spec?.acquireTime : now,
    renewTime: now,
    leaseTransitions: (previous?.spec?.leaseTransitions ?? 0) + (previous && !same ? 1 : 0),
  }
}

async function leadAndRenew(
  election: LeaderElection,
  signal: AbortSignal,
  lead: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const lost = new AbortController()
  const leading = lead(AbortSignal.any([signal, lost.signal]))
  const renewing = renewUntilLost(election, AbortSignal.any([signal, lost.signal])).finally(() => lost.abort())
  await Promise.allSettled([leading.finally(() => lost.abort()), renewing])
  if (signal.aborted) await release(election).catch(() => {})
}

/** Resolves when the lease could not be renewed for two thirds of its duration, or belongs to another. */
async function renewUntilLost(election: LeaderElection, signal: AbortSignal): Promise<void> {
  let renewedMs = election.clock.monotonic()
  while (!signal.aborted && election.clock.monotonic() - renewedMs < (election.leaseDurationMs * 2) / 3) {
    await election.clock.sleep(election.retryPeriodMs, signal).catch(() => {})
    if (signal.aborted) return
    try {
      const client = election.client.of(leases)
      const current = await client.get(election.lease)
      if (current.spec?.holderIdentity !== election.identity) return
      await client.update({ ...current, spec: heldBy(election, current) })
      renewedMs = election.clock.monotonic()
    } catch (error) {
      election.log.debug('the lease could not be renewed', { error: String(error) })
    }
  }
}

async function release(election: LeaderElection): Promise<void> {
  const client = election.client.of(leases)
  const current = await client.get(election.lease)
  if (current.spec?.holderIdentity !== election.identity) return
  await client.patch(keyOf(current), { type: 'merge', body: { spec: { holderIdentity: '', leaseDurationSeconds: 1 } } })
}

function orUndefinedIfNotFound(error: unknown): undefined {
  if (!isNotFound(error)) throw error
  return undefined
}
