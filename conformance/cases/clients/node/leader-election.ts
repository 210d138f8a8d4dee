/** The library has none: a Lease that is taken over when its holder has not been heard of for its whole duration. */

import { setTimeout as sleep } from 'node:timers/promises'
import { ApiException, type CoordinationV1Api, type V1Lease, V1MicroTime } from '@kubernetes/client-node'

const LEASE_SECONDS = 15
const RENEW_DEADLINE_MS = 10_000
const RETRY_MS = 2_000

export interface Candidate {
  readonly api: CoordinationV1Api
  readonly namespace: string
  readonly name: string
  readonly identity: string
  readonly signal: AbortSignal
}

/** Resolves when this candidate leads. `lost` is called when it could not renew in time. */
export async function lead(candidate: Candidate, lost: () => void): Promise<void> {
  const seen = { renewals: '', atMs: 0 }
  while (!(await acquire(candidate, seen))) await sleep(RETRY_MS, undefined, { signal: candidate.signal })
  void renew(candidate, lost)
}

interface Seen {
  renewals: string
  atMs: number
}

async function acquire({ api, namespace, name, identity }: Candidate, seen: Seen): Promise<boolean> {
  try {
    const lease = await leaseOf(api, namespace, name)
    // Whatever the library makes of a MicroTime: it is compared, not read.
    const renewals = `${lease?.spec?.holderIdentity} ${lease?.spec?.renewTime}`
    if (renewals !== seen.renewals) Object.assign(seen, { renewals, atMs: Date.now() })
    const held = lease?.spec?.holderIdentity !== undefined && lease.spec.holderIdentity !== identity
    // Other machines' clocks are not asked: what counts is how long the Lease has not changed here.
    if (held && Date.now() < seen.atMs + LEASE_SECONDS * 1_000) return false
    if (lease) await api.replaceNamespacedLease({ namespace, name, body: taken(lease, identity) })
    else await api.createNamespacedLease({ namespace, body: taken({ metadata: { name, namespace } }, identity) })
    return true
  } catch (error) {
    if (!(error instanceof ApiException) || error.code !== 409) console.error('not elected', String(error))
    return false
  }
}

async function renew({ api, namespace, name, identity, signal }: Candidate, lost: () => void): Promise<void> {
  let deadlineMs = Date.now() + RENEW_DEADLINE_MS
  while (!signal.aborted && Date.now() < deadlineMs) {
    await sleep(RETRY_MS)
    try {
      const lease = await api.readNamespacedLease({ namespace, name })
      if (lease.spec?.holderIdentity !== identity) break
      await api.replaceNamespacedLease({ namespace, name, body: taken(lease, identity) })
      deadlineMs = Date.now() + RENEW_DEADLINE_MS
    } catch (error) {
      console.error('not renewed', String(error))
    }
  }
  if (!signal.aborted) lost()
}

async function leaseOf(api: CoordinationV1Api, namespace: string, name: string): Promise<V1Lease | undefined> {
  try {
    return await api.readNamespacedLease({ namespace, name })
  } catch (error) {
    if (error instanceof ApiException && error.code === 404) return undefined
    throw error
  }
}

function taken(lease: V1Lease, identity: string): V1Lease {
  const now = new V1MicroTime()
  const { holderIdentity, acquireTime, leaseTransitions = 0 } = lease.spec ?? {}
  const kept = holderIdentity === identity
  return {
    ...lease,
    spec: {
      holderIdentity: identity,
      leaseDurationSeconds: LEASE_SECONDS,
      acquireTime: (kept && acquireTime) || now,
      renewTime: now,
      leaseTransitions: kept || holderIdentity === undefined ? leaseTransitions : leaseTransitions + 1,
    },
  }
}
