/** A new node is not ready until its kubelet says so: nothing is scheduled there before. */

import type { Node } from '../../../apis/core/types.gen.ts'
import type { KubeObject } from '../../../machinery/meta/object.ts'
import type { AdmissionPlugin } from '../plugin.ts'

const NOT_READY = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' } as const

export function taintNodesByCondition(): AdmissionPlugin {
  return {
    name: 'TaintNodesByCondition',
    operations: ['CREATE'],
    about: ['/nodes'],
    mutate: ({ definition, subresource }, object) =>
      definition.group === '' && definition.resource === 'nodes' && subresource === '' ? withTaint(object) : object,
  }
}

function withTaint(node: Node | KubeObject): KubeObject {
  const spec = 'spec' in node ? (node.spec ?? {}) : {}
  const taints = spec.taints ?? []
  if (taints.some(({ key, effect }) => key === NOT_READY.key && effect === NOT_READY.effect)) return node
  const tainted: Node = { ...node, spec: { ...spec, taints: [...taints, NOT_READY] } }
  return tainted
}
