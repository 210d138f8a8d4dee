/** Room for what the pod requests. Prefers nodes with more room left over (least allocated). */

import type { Container, Pod } from '../../apis/core/types.gen.ts'
import { isNegative, quantityOf } from '../../machinery/meta/quantity.ts'
import { amountOf, amountText } from '../amounts.ts'
import { type Finding, type Plugin, type Rejection, SCORE_MAX } from '../framework.ts'
import type { PodInfo } from '../pod-info.ts'
import type { NodeInfo } from '../snapshot.ts'

export const nodeResourcesFit: Plugin = {
  name: 'NodeResourcesFit',
  isLocal: true,
  prepare: (pod) => ({
    filter: (node) => shortage(pod, node),
    scoring: () => ({ score: (node) => leastAllocated(pod, node) }),
    explain: (node) => findings(pod, node),
  }),
  wakes(pod, event) {
    switch (event.resource) {
      case 'pods':
        return event.action === 'delete' || (event.previous !== undefined && shrinks(event.pod, event.previous))
      case 'nodes':
        return event.action === 'add' || !event.previous || grows(event.node, event.previous)
      case 'self':
        return shrinks(event.pod, event.previous)
      default:
        return pod.requests.size === 0
    }
  },
}

interface Shortage {
  readonly name: string
  readonly wants: number
  readonly free: number
  readonly allocatable: number
}

function shortages(pod: PodInfo, node: NodeInfo): Shortage[] {
  const result: Shortage[] = []
  for (const [name, wants] of pod.requests) {
    const allocatable = node.allocatable.get(name) ?? 0
    const free = allocatable - (node.requested.get(name) ?? 0)
    if (wants > free) result.push({ name, wants, free, allocatable })
  }
  return result
}

function isFull(node: NodeInfo): boolean {
  return node.pods.length + 1 > (node.allocatable.get('pods') ?? 0)
}

function shortage(pod: PodInfo, node: NodeInfo): Rejection | undefined {
  const short = shortages(pod, node)
  const full = isFull(node)
  if (short.length === 0 && !full) return undefined
  const reasons = short.map(({ name }) => `Insufficient ${name}`)
  // What is more than the whole node stays too much, whoever leaves.
  const resolvable = short.every(({ wants, allocatable }) => wants <= allocatable)
  return { reasons: full ? ['Too many pods', ...reasons] : reasons, resolvable }
}

function leastAllocated(pod: PodInfo, node: NodeInfo): number {
  let sum = 0
  let weights = 0
  for (const name of ['cpu', 'memory'] as const) {
    const capacity = node.allocatable.get(name) ?? 0
    if (capacity === 0) continue
    const used = node.expected[name] + pod.expected[name]
    sum += used > capacity ? 0 : Math.floor(((capacity - used) * SCORE_MAX) / capacity)
    weights++
  }
  return weights === 0 ? 0 : Math.floor(sum / weights)
}

function shrinks(pod: PodInfo, previous: PodInfo): boolean {
  return [...previous.requests].some(([name, amount]) => (pod.requests.get(name) ?? 0) < amount)
}

function grows(node: NodeInfo, previous: NodeInfo): boolean {
  return [...node.allocatable].some(([name, amount]) => amount > (previous.allocatable.get(name) ?? 0))
}

function findings(pod: PodInfo, node: NodeInfo): Finding[] {
  const short = shortages(pod, node).map(({ name, wants, free, allocatable }): Finding => {
    const room = `free ${amountText(name, Math.max(0, free))} of ${amountText(name, allocatable)}`
    const text = `${name}: wants ${amountText(name, wants)}, ${room}`
    if (free <= 0 || !isSingleRequest(pod.pod, name)) return { text }
    const change = `lower requests.${name} from ${amountText(name, wants)} to ${amountText(name, free)}`
    return { text, remedy: { text: change, apply: (object) => withRequest(object, name, amountText(name, free)) } }
  })
  const limit = node.allocatable.get('pods') ?? 0
  return isFull(node) ? [{ text: `pods: ${node.pods.length} of ${limit} are there` }, ...short] : short
}

/** Only then can one number be lowered to make the whole pod smaller. */
function isSingleRequest({ spec }: Pod, name: string): boolean {
  if (spec?.resources?.requests?.[name] !== undefined || (spec?.initContainers ?? []).length > 0) return false
  if (spec?.overhead?.[name] !== undefined) return false
  return (spec?.containers ?? []).filter((container) => asks(container, name)).length === 1
}

function asks(container: Container, name: string): boolean {
  const quantity = quantityOf(container.resources?.requests?.[name])
  return !isNegative(quantity) && amountOf(name, quantity) > 0
}

function withRequest(pod: Pod, name: string, text: string): Pod {
  const containers = (pod.spec?.containers ?? []).map((container) =>
    asks(container, name)
      ? {
          ...container,
          resources: { ...container.resources, requests: { ...container.resources?.requests, [name]: text } },
        }
      : container,
  )
  return { ...pod, spec: { ...pod.spec, containers } }
}
