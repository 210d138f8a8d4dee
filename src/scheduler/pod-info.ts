/** A pod with what scheduling asks of it again and again, worked out once. Immutable. */

import { podRequests } from '../apis/core/pod/pod-resources.ts'
import type { Container, Pod, PodAffinityTerm } from '../apis/core/types.gen.ts'
import { type Labels, type Selector, selectorFromLabelSelector } from '../machinery/meta/labels.ts'
import { keyOf, keyText } from '../machinery/meta/object.ts'
import { type Amounts, amountOf, amountsOf } from './amounts.ts'

/** A term of (anti)affinity, ready to be matched against other pods. */
export interface AffinityTerm {
  readonly topologyKey: string
  readonly selector: Selector
  readonly namespaces: ReadonlySet<string>
  /** Namespaces by their labels; absent: only those in `namespaces`. */
  readonly namespaceSelector?: Selector | undefined
  /** 1–100 for preferred terms, 1 for required ones. */
  readonly weight: number
}

export interface HostPort {
  readonly protocol: string
  readonly ip: string
  readonly port: number
}

export interface PodInfo {
  readonly pod: Pod
  /** `namespace/name`. */
  readonly key: string
  readonly uid: string
  readonly namespace: string
  readonly labels: Labels
  readonly priority: number
  readonly requests: Amounts
  /** CPU and memory with a share for containers that request none: how full a node is expected to get. */
  readonly expected: { readonly cpu: number; readonly memory: number }
  readonly hostPorts: readonly HostPort[]
  readonly requiredAffinity: readonly AffinityTerm[]
  readonly requiredAntiAffinity: readonly AffinityTerm[]
  readonly preferredAffinity: readonly AffinityTerm[]
  readonly preferredAntiAffinity: readonly AffinityTerm[]
}

/** What a container without requests is expected to use: 100m and 200 MB, as upstream. */
const EXPECTED_CPU_MILLI = 100
const EXPECTED_MEMORY_BYTES = 200 * 1024 * 1024

export function podInfoOf(pod: Pod): PodInfo {
  const { podAffinity, podAntiAffinity } = pod.spec?.affinity ?? {}
  const required = 'requiredDuringSchedulingIgnoredDuringExecution'
  const preferred = 'preferredDuringSchedulingIgnoredDuringExecution'
  const one = (term: PodAffinityTerm) => affinityTerm(term, pod, 1)
  const weighted = (entry: { readonly weight: number; readonly podAffinityTerm: PodAffinityTerm }) =>
    affinityTerm(entry.podAffinityTerm, pod, entry.weight)
  const requests = requestsOf(pod)
  return {
    pod,
    key: keyText(keyOf(pod)),
    uid: pod.metadata.uid ?? '',
    namespace: pod.metadata.namespace ?? '',
    labels: pod.metadata.labels ?? {},
    priority: pod.spec?.priority ?? 0,
    requests,
    expected: expectedUse(pod, requests),
    hostPorts: hostPortsOf(pod),
    requiredAffinity: (podAffinity?.[required] ?? []).map(one),
    requiredAntiAffinity: (podAntiAffinity?.[required] ?? []).map(one),
    preferredAffinity: (podAffinity?.[preferred] ?? []).map(weighted),
    preferredAntiAffinity: (podAntiAffinity?.[preferred] ?? []).map(weighted),
  }
}

/** Whether `other` is one of the pods that the term speaks of. */
export function termMatches(term: AffinityTerm, other: PodInfo, namespaceLabels: (name: string) => Labels): boolean {
  const inNamespace =
    term.namespaces.has(other.namespace) || term.namespaceSelector?.matches(namespaceLabels(other.namespace)) === true
  return inNamespace && term.selector.matches(other.labels)
}

function affinityTerm(term: PodAffinityTerm, pod: Pod, weight: number): AffinityTerm {
  const named = term.namespaces ?? []
  const own = named.length === 0 && term.namespaceSelector === undefined ? [pod.metadata.namespace ?? ''] : named
  return {
    topologyKey: term.topologyKey,
    selector: selectorFromLabelSelector(term.labelSelector),
    namespaces: new Set(own),
    namespaceSelector: term.namespaceSelector && selectorFromLabelSelector(term.namespaceSelector),
    weight,
  }
}

function requestsOf(pod: Pod): Amounts {
  const amounts = [...podRequests(pod)].map(([name, quantity]) => [name, amountOf(name, quantity)] as const)
  return new Map(amounts.filter(([, amount]) => amount > 0))
}

function expectedUse(pod: Pod, requests: Amounts): PodInfo['expected'] {
  const missing = (name: string) => (container: Container) => !amountsOf(container.resources?.requests).has(name)
  const containers = pod.spec?.resources?.requests ? [] : (pod.spec?.containers ?? [])
  const extra = (name: string, share: number) => containers.filter(missing(name)).length * share
  return {
    cpu: (requests.get('cpu') ?? 0) + extra('cpu', EXPECTED_CPU_MILLI),
    memory: (requests.get('memory') ?? 0) + extra('memory', EXPECTED_MEMORY_BYTES),
  }
}

function hostPortsOf(pod: Pod): HostPort[] {
  const sidecars = (pod.spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always')
  return [...(pod.spec?.containers ?? []), ...sidecars].flatMap(({ ports }) =>
    (ports ?? []).flatMap(({ hostPort, hostIP, protocol }) =>
      hostPort ? [{ protocol: protocol ?? 'TCP', ip: hostIP || '0.0.0.0', port: hostPort }] : [],
    ),
  )
}
