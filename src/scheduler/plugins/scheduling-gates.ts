/** A pod with gates is not tried at all until they are gone. */

import type { Plugin } from '../framework.ts'

export const schedulingGates: Plugin = {
  name: 'SchedulingGates',
  prepare(pod) {
    const gates = pod.pod.spec?.schedulingGates ?? []
    if (gates.length === 0) return {}
    const names = gates.map(({ name }) => name).join(' ')
    return { everywhere: { reasons: [`waiting for scheduling gates: [${names}]`], resolvable: false } }
  },
  wakes: (_pod, event) => event.resource === 'self' && (event.pod.pod.spec?.schedulingGates ?? []).length === 0,
}
