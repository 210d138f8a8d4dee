/**
 * One leader among candidates, through a Lease: as client-go's elector. The holder renews; others take over when
 * the lease has not changed for its duration, measured on their own clock, so clocks need not agree.
 */

import { leases } from '../apis/coordination/lease.ts'
import type { Lease } from '../apis/coordination/types.gen.ts'
import type { Clock } from '../base/clock.ts'
import { type Deadline, deadline, orAborted } from '../base/deadline.ts'
import type { Logger } from '../base/log.ts'
import { undefinedIfNotFound } from '../machinery/meta/api-error.ts'
import type { ObjectKey } from '../machinery/meta/object.ts'
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
    const held = await tryToLead(election, observed, signal)
    observed = held.observed
    if (held.leading) await leadAndRenew(election, signal, lead)
    await election.clock.sleep(election.retryPeriodMs, signal).catch(() => {})
  }
}

interface Attempt {
  readonly leading: boolean
  readonly observed: Observation
}

async function tryToLead(election: LeaderElection, observed: Observation, signal: AbortSignal): Promise<Attempt> {
  using limit = answerLimit(election, signal)
  try {
    return await orAborted(acquire(election, observed, limit.signal), limit.signal)
  } catch (error) {
    election.log.debug('the lease could not be taken', { error: String(error) })
    return { leading: false, observed }
  }
}

/** A server that takes a request and does not answer keeps nobody waiting, and no leader believing, for longer. */
function answerLimit({ clock, leaseDurationMs }: LeaderElection, signal: AbortSignal): Deadline {
  return deadline(clock, (leaseDurationMs * 2) / 3, signal)
}

async function acquire(election: LeaderElection, observed: Observation, signal: AbortSignal): Promise<Attempt> {
  const client = election.client.of(leases)
  const current = await client.get(election.lease, signal).catch(undefinedIfNotFound)
  if (!current) {
    await client.create({ metadata: { ...election.lease }, spec: heldBy(election, undefined) }, { signal })
    return { leading: true, observed }
  }
  const seen = observe(election, observed, current)
  const { holderIdentity } = current.spec ?? {}
  const stale = election.clock.monotonic() - seen.atMs >= election.leaseDurationMs
  if (holderIdentity && holderIdentity !== election.identity && !stale) return { leading: false, observed: seen }
  await client.update({ ...current, spec: heldBy(election, current) }, { signal })
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
  const until = AbortSignal.any([signal, lost.signal])
  const leading = lead(until).catch((error: unknown) => {
    if (!until.aborted) election.log.error('the leader failed', { error: String(error) })
  })
  const renewing = renewUntilLost(election, until)
  await Promise.all([leading.finally(() => lost.abort()), renewing.finally(() => lost.abort())])
  if (signal.aborted) await release(election)
}

/** Resolves when the lease could not be renewed for two thirds of its duration, or belongs to another. */
async function renewUntilLost(election: LeaderElection, signal: AbortSignal): Promise<void> {
  for (let renewed = true; renewed && !signal.aborted; ) {
    using limit = answerLimit(election, signal)
    renewed = await renewWithin(election, limit.signal)
  }
}

/** False when the signal aborted first, or the lease belongs to another. */
async function renewWithin(election: LeaderElection, signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted) {
    await election.clock.sleep(election.retryPeriodMs, signal).catch(() => {})
    if (signal.aborted) return false
    try {
      return await orAborted(renew(election, signal), signal)
    } catch (error) {
      election.log.debug('the lease could not be renewed', { error: String(error) })
    }
  }
  return false
}

async function renew(election: LeaderElection, signal: AbortSignal): Promise<boolean> {
  const client = election.client.of(leases)
  const current = await client.get(election.lease, signal)
  if (current.spec?.holderIdentity !== election.identity) return false
  await client.update({ ...current, spec: heldBy(election, current) }, { signal })
  return true
}

/** Best effort: a lease that is not given back expires. */
async function release(election: LeaderElection): Promise<void> {
  using limit = deadline(election.clock, election.retryPeriodMs)
  await orAborted(giveBack(election, limit.signal), limit.signal).catch(() => {})
}

async function giveBack({ client, lease, identity }: LeaderElection, signal: AbortSignal): Promise<void> {
  const { spec } = await client.of(leases).get(lease, signal)
  if (spec?.holderIdentity !== identity) return
  const body = { spec: { holderIdentity: '', leaseDurationSeconds: 1 } }
  await client.of(leases).patch(lease, { type: 'merge', body }, { signal })
}
