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
  if (matchesNode(pod, node)) return undefined
  return {
    reason: 'NodeAffinity',
    message: "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
  }
}

/** Like the scheduler, without its plugins: what the pod demands of labels and of the name. */
function matchesNode({ spec }: Pod, { metadata }: Node): boolean {
  const labels = metadata.labels ?? {}
  const selected = Object.entries(spec?.nodeSelector ?? {}).every(([key, value]) => labelOf(labels, key) === value)
  const terms = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
  if (!selected || terms === undefined) return selected
  return terms.some(({ matchExpressions = [], matchFields = [] }) => {
    if (matchExpressions.length + matchFields.length === 0) return false
    const field = (key: string) => (key === 'metadata.name' ? metadata.name : undefined)
    return (
      matchExpressions.every((requirement) => meets(labelOf(labels, requirement.key), requirement)) &&
      matchFields.every((requirement) => meets(field(requirement.key), requirement))
    )
  })
}

function labelOf(labels: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined
}

function meets(
  value: string | undefined,
  { operator, values = [] }: { readonly operator: string; readonly values?: readonly string[] | undefined },
): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    case 'Gt':
      return value !== undefined && Number(value) > Number(values[0])
    case 'Lt':
      return value !== undefined && Number(value) < Number(values[0])
    default:
      return false
  }
}

/** Only taints that evict: the others are the scheduler's business. */
function taintRefusal({ spec }: Pod, node: Node): Refusal | undefined {
  const tolerated = (taint: NonNullable<NonNullable<Node['spec']>['taints']>[number]) =>
    (spec?.tolerations ?? []).some(
      ({ key = '', operator = 'Equal', value = '', effect = '' }) =>
        (effect === '' || effect === taint.effect) &&
        (key === '' ? operator === 'Exists' : key === taint.key) &&
        (operator === 'Exists' || value === (taint.value ?? '')),
    )
  const evicting = (node.spec?.taints ?? []).filter(({ effect }) => effect === 'NoExecute')
  if (evicting.every(tolerated)) return undefined
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
  const taken = others.flatMap(hostPorts)
  const collides = (left: HostPort, right: HostPort) =>
    left.hostPort === right.hostPort &&
    left.protocol === right.protocol &&
    (left.hostIP === right.hostIP || left.hostIP === ANY_ADDRESS || right.hostIP === ANY_ADDRESS)
  if (!hostPorts(pod).some((port) => taken.some((other) => collides(port, other)))) return undefined
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
