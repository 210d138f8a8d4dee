/** A node's heartbeat: its Lease in kube-node-lease, renewed while the agent lives. */

import { leases, NODE_LEASE_NAMESPACE } from '../apis/coordination/lease.ts'
import { nodes } from '../apis/core/node.ts'
import type { Clock } from '../base/clock.ts'
import type { Client } from '../client/client.ts'
import { retryOnConflict } from '../client/retry-on-conflict.ts'
import { isNotFound } from '../machinery/meta/api-error.ts'
import { formatMicroTime } from '../machinery/meta/time.ts'

/** The lease is renewed every quarter of its duration, as upstream. */
const LEASE_SECONDS = 40
export const LEASE_RENEW_MS = 10_000

export async function renewLease(client: Client, clock: Clock, nodeName: string): Promise<void> {
  const key = { namespace: NODE_LEASE_NAMESPACE, name: nodeName }
  const spec = {
    holderIdentity: nodeName,
    leaseDurationSeconds: LEASE_SECONDS,
    renewTime: formatMicroTime(clock.now()),
  }
  await retryOnConflict(async () => {
    try {
      const lease = await client.of(leases).get(key)
      await client.of(leases).update({ ...lease, spec: { ...lease.spec, ...spec } })
    } catch (error) {
      if (!isNotFound(error)) throw error
      const { metadata } = await client.of(nodes).get({ name: nodeName })
      const ownerReferences = [{ apiVersion: 'v1', kind: 'Node', name: nodeName, uid: metadata.uid ?? '' }]
      await client.of(leases).create({ metadata: { ...key, ownerReferences }, spec })
    }
  })
}
