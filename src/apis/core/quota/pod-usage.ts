/** What pods use of quotas: themselves, and the compute resources of those that have not come to their end. */

import { deepEqual } from '../../../base/deep-equal.ts'
import { byCodeUnit } from '../../../base/group-by.ts'
import type { KubeObject } from '../../../machinery/meta/object.ts'
import { parseTime } from '../../../machinery/meta/time.ts'
import { podLimits, podRequests, type Quantities, quantitiesOf } from '../pod/pod-resources.ts'
import { isPodTerminal } from '../pod/pod-status.ts'
import { computeQosClass } from '../pod/qos-class.ts'
import { isExtendedResource, isHugePages, isNativeResource } from '../pod/resource-list.ts'
import type { ContainerStatus, Pod, PodAffinityTerm, ScopedResourceSelectorRequirement } from '../types.gen.ts'
import { type Amounts, ONE, sumOf } from './amounts.ts'
import { countName, type QuotaEvaluator, selectsValue } from './evaluator.ts'

const COUNT = countName('', 'pods')
const COMPUTE = ['cpu', 'memory', 'ephemeral-storage']
const NAMES: ReadonlySet<string> = new Set([
  COUNT,
  'pods',
  ...COMPUTE.flatMap((name) => [name, `requests.${name}`, `limits.${name}`]),
])
/** A quota on one of these makes every container name a figure of its own, or the pod one for all. */
const REQUIRED: ReadonlySet<string> = new Set(
  ['cpu', 'memory'].flatMap((name) => [name, `requests.${name}`, `limits.${name}`]),
)
const DEVICE_CLASS_REQUEST = 'requests.deviceclass.resource.kubernetes.io/'

// Whoever asks this evaluator asks about objects of the resource that it names.
const podOf = (object: KubeObject): Pod => object as Pod

export const podEvaluator: QuotaEvaluator = {
  group: '',
  resource: 'pods',
  handles: ({ operation, subresource, object, previous }) => {
    if (subresource === 'resize') return operation === 'UPDATE'
    if (subresource !== '') return false
    return previous ? hasDeadline(podOf(object)) !== hasDeadline(podOf(previous)) : operation === 'CREATE'
  },
  matchingNames: (names) => [...names].filter(isAboutPods),
  matchesScope: (selector, object) => matchesScope(selector, podOf(object)),
  missing: (names, object) => missingText(names, podOf(object)),
  usage: (object, nowMs) => podUsage(podOf(object), nowMs),
  replenishes: (object, previous, nowMs) =>
    hasDeadline(podOf(object)) !== hasDeadline(podOf(previous)) ||
    (isCharged(podOf(previous), nowMs) && !isCharged(podOf(object), nowMs)) ||
    !deepEqual(resizedResources(podOf(object)), resizedResources(podOf(previous))),
}

function isAboutPods(name: string): boolean {
  return NAMES.has(name) || isHugePages(name) || name.startsWith('requests.hugepages-') || isExtendedRequest(name)
}

function isExtendedRequest(name: string): boolean {
  return name.startsWith('requests.') && (!isNativeResource(name) || name.startsWith(DEVICE_CLASS_REQUEST))
}

function hasDeadline({ spec }: Pod): boolean {
  return (spec?.activeDeadlineSeconds ?? -1) >= 0
}

/** Ends count no more, and pods that should have ended by now do not stand in the way of their successors. */
export function isCharged(pod: Pod, nowMs: number): boolean {
  if (isPodTerminal(pod)) return false
  const { deletionTimestamp, deletionGracePeriodSeconds: grace } = pod.metadata
  const deletionMs = parseTime(deletionTimestamp)
  return deletionMs === undefined || grace === undefined || nowMs <= deletionMs + grace * 1_000
}

/** When a pod that is being deleted stops to count, though it is still there; undefined: that is not known. */
export function chargedUntil({ metadata }: KubeObject): number | undefined {
  const deletionMs = parseTime(metadata.deletionTimestamp)
  const grace = metadata.deletionGracePeriodSeconds
  return deletionMs === undefined || grace === undefined ? undefined : deletionMs + grace * 1_000
}

function podUsage(pod: Pod, nowMs: number): Amounts {
  const counted: Amounts = new Map([[COUNT, ONE]])
  if (!isCharged(pod, nowMs)) return counted
  const sized = withRunningSizes(pod)
  return sumOf(counted, computeUsage(podRequests(sized), podLimits(sized)))
}

function computeUsage(requests: Quantities, limits: Quantities): Amounts {
  const usage = new Map([['pods', ONE]])
  for (const [name, request] of requests) {
    const counts = COMPUTE.includes(name) || isHugePages(name)
    if (counts) usage.set(name, request)
    if (counts || isExtendedResource(name)) usage.set(`requests.${name}`, request)
  }
  for (const [name, limit] of limits) if (COMPUTE.includes(name)) usage.set(`limits.${name}`, limit)
  return usage
}

/** While a resize is under way a container uses the larger of what it has and what it shall have. */
function withRunningSizes(pod: Pod): Pod {
  const statuses = new Map([...statusesOf(pod)].map((status) => [status.name, status]))
  if (!pod.spec || ![...statuses.values()].some(({ resources }) => resources)) return pod
  const containers = pod.spec.containers.map((container) => {
    const running = statuses.get(container.name)?.resources
    if (!running) return container
    const larger = (which: 'requests' | 'limits') => largerTexts(container.resources?.[which], running[which])
    return {
      ...container,
      resources: { ...container.resources, requests: larger('requests'), limits: larger('limits') },
    }
  })
  return { ...pod, spec: { ...pod.spec, containers } }
}

type Texts = Readonly<Record<string, string>> | undefined

/** Of the names that the spec has. */
function largerTexts(spec: Texts, running: Texts): Readonly<Record<string, string>> {
  const amounts = quantitiesOf(running)
  return Object.fromEntries(
    [...quantitiesOf(spec)].map(([name, wanted]) => {
      const own = amounts.get(name)
      return [name, (own && own.nano > wanted.nano ? running?.[name] : spec?.[name]) ?? '0']
    }),
  )
}

function statusesOf({ status }: Pod): readonly ContainerStatus[] {
  return [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])]
}

function resizedResources(pod: Pod): readonly unknown[] {
  return statusesOf(pod).map(({ resources }) => resources)
}

/** `must specify cpu for: web; memory for: sidecar,web`. */
function missingText(names: readonly string[], { spec }: Pod): string | undefined {
  const required = names.filter((name) => REQUIRED.has(name)).toSorted(byCodeUnit)
  const ownFigures = Object.keys({ ...spec?.resources?.requests, ...spec?.resources?.limits })
  if (required.length === 0 || ownFigures.length > 0) return undefined
  const containers = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].map(({ name, resources }) => ({
    name,
    usage: computeUsage(quantitiesOf(resources?.requests), quantitiesOf(resources?.limits)),
  }))
  const parts = required.flatMap((resource) => {
    const silent = containers.filter(({ usage }) => !usage.has(resource)).map(({ name }) => name)
    return silent.length === 0 ? [] : [`${resource} for: ${[...new Set(silent)].toSorted(byCodeUnit).join(',')}`]
  })
  return parts.length === 0 ? undefined : `must specify ${parts.join('; ')}`
}

function matchesScope(selector: ScopedResourceSelectorRequirement, pod: Pod): boolean {
  switch (selector.scopeName) {
    case 'Terminating':
      return hasDeadline(pod)
    case 'NotTerminating':
      return !hasDeadline(pod)
    case 'BestEffort':
      return isBestEffort(pod)
    case 'NotBestEffort':
      return !isBestEffort(pod)
    case 'PriorityClass':
      return selectsValue(selector, pod.spec?.priorityClassName ? [pod.spec.priorityClassName] : [])
    case 'CrossNamespacePodAffinity':
      return reachesOtherNamespaces(pod)
    default:
      return false
  }
}

function isBestEffort({ spec }: Pod): boolean {
  return computeQosClass(spec ?? { containers: [] }) === 'BestEffort'
}

function reachesOtherNamespaces({ spec }: Pod): boolean {
  const { podAffinity, podAntiAffinity } = spec?.affinity ?? {}
  const terms = [podAffinity, podAntiAffinity].flatMap((affinity): readonly PodAffinityTerm[] => [
    ...(affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(({ podAffinityTerm }) => podAffinityTerm),
  ])
  return terms.some(({ namespaces, namespaceSelector }) => Boolean(namespaces?.length) || namespaceSelector != null)
}
