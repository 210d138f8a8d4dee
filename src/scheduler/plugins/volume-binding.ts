/** Persistent volumes: a pod waits until its claims can be served, and goes where their volumes are or can be. */

import { podClaims } from '../../apis/core/persistent-volume/pod-claims.ts'
import { type Plugin, reject } from '../framework.ts'
import { planVolumes, volumesOf } from '../volume-plan.ts'

export const volumeBinding: Plugin = {
  name: 'VolumeBinding',
  prepare({ pod }, { lookups: { volumes } }) {
    if (podClaims(pod).length === 0) return {}
    const claims = volumesOf(pod, volumes)
    if (typeof claims === 'string') return { everywhere: reject(claims, false) }
    return {
      filter(node) {
        const plan = planVolumes(claims, node.node, volumes)
        return 'reasons' in plan ? { reasons: plan.reasons, resolvable: false } : undefined
      },
      explain(node) {
        const plan = planVolumes(claims, node.node, volumes)
        return 'reasons' in plan ? plan.reasons.map((text) => ({ text })) : []
      },
    }
  },
  wakes({ pod }, event) {
    if (event.resource === 'nodes') return true
    if (event.resource !== 'volumes') return false
    const { claim } = event
    if (!claim) return true
    return claim.namespace === pod.metadata.namespace && podClaims(pod).some(({ name }) => name === claim.name)
  },
}
