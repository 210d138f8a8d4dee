/** A pod may name its node. */

import { type Plugin, reject } from '../framework.ts'

export const nodeName: Plugin = {
  name: 'NodeName',
  isLocal: true,
  prepare(pod) {
    const wanted = pod.pod.spec?.nodeName
    if (!wanted) return {}
    return {
      filter: (node) =>
        node.name === wanted ? undefined : reject("node(s) didn't match the requested node name", false),
      explain: () => [{ text: `nodeName: ${wanted}` }],
    }
  },
  wakes: (_pod, event) => event.resource === 'nodes',
}
