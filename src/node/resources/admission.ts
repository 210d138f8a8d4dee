/** Whether a pod that is bound to this node can run here: pure. Reasons as upstream's kubelet gives them. */

import { podRequests } from '../../apis/core/pod/pod-resources.ts'
import type { Node, Pod } from '../../apis/core/types.gen.ts'
import {
  addQuantities,
  compareQuantities,
  type Quantity,
  quantityMilliValue,
  quantityOf,
  quantityValue,
  zeroQuantity,
} from '../../machinery/meta/quantity.ts'

export interface Refusal {
  readonly reason: string
  readonly message: string
}

/** `others` are the pods that run here already. Undefined: it fits. */
export function admitPod(pod: Pod, others: readonly Pod[], node: Node): Refusal | undefined {
  const living = others.filter(({ status }) => status?.phase !== 'Succeeded' && status?.phase !== 'Failed')
  return labelRefusal(pod, node) ?? portRefusal(pod, living) ?? resourceRefusal(pod, living, node)
}

function labelRefusal({ spec }: Pod, { metadata }: Node): Refusal | undefined {
  const labels = metadata.labels ?? {}
  const matches = Object.entries(spec?.nodeSelector ?? {}).every(
    ([key, value]) => Object.hasOwn(labels, key) && labels[key] === value,
  )
  return matches
    ? undefined
    : {
        reason: 'NodeAffinity',
        message: "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
      }
}

function hostPorts({ spec }: Pod): readonly string[] {
  return (spec?.containers ?? []).flatMap(({ ports = [] }) =>
    ports
      .filter(({ hostPort }) => hostPort)
      .map(({ hostPort, protocol = 'TCP', hostIP = '' }) => `${protocol}/${hostIP}/${hostPort}`),
  )
}

function portRefusal(pod: Pod, others: readonly Pod[]): Refusal | undefined {
  const taken = new Set(others.flatMap(hostPorts))
  if (!hostPorts(pod).some((port) => taken.has(port))) return undefined
  return {
    reason: 'NodePorts',
    message: "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports",
  }
}

function resourceRefusal(pod: Pod, others: readonly Pod[], { status }: Node): Refusal | undefined {
  const allocatable = status?.allocatable ?? {}
  const podsMax = quantityValue(quantityOf(allocatable.pods))
  if (others.length + 1 > podsMax) return outOf('pods', 1, others.length, podsMax)
  const requests = podRequests(pod)
  for (const [name, wanted] of requests) {
    if (compareQuantities(wanted, zeroQuantity) <= 0) continue
    const used = others.reduce(
      (sum, other) => addQuantities(sum, podRequests(other).get(name) ?? zeroQuantity),
      zeroQuantity,
    )
    const capacity = quantityOf(allocatable[name])
    if (compareQuantities(addQuantities(used, wanted), capacity) > 0)
      return outOf(name, amount(name, wanted), amount(name, used), amount(name, capacity))
  }
  return undefined
}

function amount(name: string, quantity: Quantity): number {
  return name === 'cpu' ? quantityMilliValue(quantity) : quantityValue(quantity)
}

function outOf(name: string, requested: number, used: number, capacity: number): Refusal {
  return {
    reason: `OutOf${name}`,
    message: `Pod was rejected: Node didn't have enough resource: ${name}, requested: ${requested}, used: ${used}, capacity: ${capacity}`,
  }
}
