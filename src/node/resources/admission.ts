/** Whether a pod that is bound to this node can run here: pure. Reasons as upstream's kubelet gives them. */

import { matchesNode, tolerates } from '../../apis/core/pod/node-fit.ts'
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

/** `others` run here already. Undefined: it fits. Checked in upstream's order; the first reason counts. */
export function admitPod(pod: Pod, others: readonly Pod[], node: Node): Refusal | undefined {
  const living = others.filter(({ status }) => status?.phase !== 'Succeeded' && status?.phase !== 'Failed')
  return (
    systemRefusal(pod) ??
    resourceRefusal(pod, living, node) ??
    affinityRefusal(pod, node) ??
    portRefusal(pod, living) ??
    taintRefusal(pod, node)
  )
}

function systemRefusal({ spec }: Pod): Refusal | undefined {
  if (spec?.os?.name === undefined || spec.os.name === 'linux') return undefined
  return { reason: 'PodOSNotSupported', message: "Failed to admit pod as the OS field doesn't match node OS" }
}

function affinityRefusal(pod: Pod, node: Node): Refusal | undefined {
  if (matchesNode(pod.spec ?? {}, node)) return undefined
  return {
    reason: 'NodeAffinity',
    message: "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
  }
}

/** Only taints that evict: the others are the scheduler's business. */
function taintRefusal({ spec }: Pod, node: Node): Refusal | undefined {
  const evicting = (node.spec?.taints ?? []).filter(({ effect }) => effect === 'NoExecute')
  if (evicting.every((taint) => tolerates(spec?.tolerations, taint))) return undefined
  return {
    reason: 'TaintToleration',
    message: "Predicate TaintToleration failed: node(s) had taints that the pod didn't tolerate",
  }
}

const ANY_ADDRESS = '0.0.0.0'

interface HostPort {
  readonly hostPort: number
  readonly protocol: string
  readonly hostIP: string
}

function hostPorts({ spec }: Pod): readonly HostPort[] {
  return (spec?.containers ?? []).flatMap(({ ports = [] }) =>
    ports
      .filter(({ hostPort }) => hostPort)
      .map(({ hostPort = 0, protocol = 'TCP', hostIP = '' }) => ({
        hostPort,
        protocol,
        hostIP: hostIP || ANY_ADDRESS,
      })),
  )
}

function portRefusal(pod: Pod, others: readonly Pod[]): Refusal | undefined {
  const wanted = hostPorts(pod)
  if (wanted.length === 0) return undefined
  const taken = others.flatMap(hostPorts)
  const collides = (left: HostPort, right: HostPort) =>
    left.hostPort === right.hostPort &&
    left.protocol === right.protocol &&
    (left.hostIP === right.hostIP || left.hostIP === ANY_ADDRESS || right.hostIP === ANY_ADDRESS)
  if (!wanted.some((port) => taken.some((other) => collides(port, other)))) return undefined
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
    // Resources of the cluster as a whole, which no node has.
    if (name.includes('/') && allocatable[name] === undefined) continue
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
    message: `Node didn't have enough resource: ${name}, requested: ${requested}, used: ${used}, capacity: ${capacity}`,
  }
}
