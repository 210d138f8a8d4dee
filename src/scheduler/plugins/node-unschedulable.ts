/** Cordoned nodes take no pods but those that tolerate it. */

import { tolerates } from '../../apis/core/pod/node-fit.ts'
import { type Plugin, reject } from '../framework.ts'

const TAINT = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' } as const

export const nodeUnschedulable: Plugin = {
  name: 'NodeUnschedulable',
  isLocal: true,
  prepare(pod) {
    if (tolerates(pod.pod.spec?.tolerations, TAINT)) return {}
    return {
      filter: (node) => (node.node.spec?.unschedulable ? reject('node(s) were unschedulable', false) : undefined),
      explain: () => [{ text: 'cordoned' }],
    }
  },
  wakes: (_pod, event) => event.resource === 'nodes' && !event.node.node.spec?.unschedulable,
}
