/** Pure: which pods stand behind a service, and as what. Shared by the controllers that write their addresses down. */

import { pods } from '../../apis/core/pod/definition.ts'
import { services } from '../../apis/core/service/definition.ts'
import type { Container, ObjectReference, Pod, Service, ServicePort } from '../../apis/core/types.gen.ts'
import { isConditionTrue } from '../../machinery/meta/conditions.ts'
import { selectorFromLabels } from '../../machinery/meta/labels.ts'
import { keyOf, type ObjectKey } from '../../machinery/meta/object.ts'
import type { Cache } from '../runtime/controller.ts'

export const LAST_CHANGE_ANNOTATION = 'endpoints.kubernetes.io/last-change-trigger-time'
export const HEADLESS_LABEL = 'service.kubernetes.io/headless'

/** `namespace/key=value` for every label of a pod. */
const POD_LABELS_INDEX = 'namespaced-labels'
/** The first pair of a service's selector: enough to find the few services that may select a pod. */
const SERVICE_SELECTOR_INDEX = 'first-selector-pair'

/** Pods that the service's selector matches; none without a selector. */
export function podsOf(cache: Cache, { metadata, spec }: Service): readonly Pod[] {
  const pair = firstPair(metadata.namespace, spec?.selector)
  if (pair === undefined) return []
  const informer = cache.informer(pods)
  informer.addIndex(POD_LABELS_INDEX, labelPairs)
  const selector = selectorFromLabels(spec?.selector)
  return informer.byIndex(POD_LABELS_INDEX, pair).filter((pod) => selector.matches(pod.metadata.labels ?? {}))
}

/** Services whose selector matches the pod. */
export function servicesOf(pod: Pod, cache: Cache): readonly ObjectKey[] {
  const informer = cache.informer(services)
  informer.addIndex(SERVICE_SELECTOR_INDEX, selectorPair)
  const { labels = {} } = pod.metadata
  const keys: ObjectKey[] = []
  for (const pair of labelPairs(pod)) {
    for (const service of informer.byIndex(SERVICE_SELECTOR_INDEX, pair))
      if (selectorFromLabels(service.spec?.selector).matches(labels)) keys.push(keyOf(service))
  }
  return keys
}

function selectorPair({ metadata, spec }: Service): readonly string[] {
  const pair = firstPair(metadata.namespace, spec?.selector)
  return pair === undefined ? [] : [pair]
}

function labelPairs({ metadata }: Pod): readonly string[] {
  return Object.entries(metadata.labels ?? {}).map(([key, value]) => pairText(metadata.namespace, key, value))
}

function firstPair(namespace: string | undefined, selector: Readonly<Record<string, string>> | undefined) {
  const [first] = Object.entries(selector ?? {})
  return first && pairText(namespace, ...first)
}

function pairText(namespace: string | undefined, key: string, value: string): string {
  return `${namespace}/${key}=${value}`
}

/** Whether the pod has an address that will answer, now or later, or is about to stop answering. */
export function hasEndpoint({ metadata, status }: Pod, includeTerminating: boolean): boolean {
  if (status?.phase === 'Failed' || status?.phase === 'Succeeded') return false
  if (addressesOf(status).length === 0) return false
  return includeTerminating || !metadata.deletionTimestamp
}

export function addressesOf(status: Pod['status']): readonly string[] {
  const all = (status?.podIPs ?? []).flatMap(({ ip }) => (ip ? [ip] : []))
  return all.length > 0 || !status?.podIP ? all : [status.podIP]
}

export function isReady({ status }: Pod): boolean {
  return isConditionTrue(status?.conditions, 'Ready')
}

/** When the pod's readiness last changed; undefined before it was ever judged. */
export function readinessChangedAt({ status }: Pod): string | undefined {
  return status?.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime ?? undefined
}

export function targetReference({ metadata }: Pod): ObjectReference {
  const { namespace, name, uid } = metadata
  return { kind: 'Pod', namespace, name, uid }
}

/** The pod's own name under a headless service, for pods that name the service as their subdomain. */
export function hostnameIn(service: Service, { metadata, spec }: Pod): string | undefined {
  const isNamed = spec?.hostname && spec.subdomain === service.metadata.name
  return isNamed && metadata.namespace === service.metadata.namespace ? spec.hostname : undefined
}

export function isHeadless({ spec }: Service): boolean {
  return spec?.clusterIP === 'None'
}

/** The number behind a service port in this pod; undefined when the pod has no port of that name. */
export function targetPortOf({ spec }: Pod, { port, protocol = 'TCP', targetPort }: ServicePort): number | undefined {
  if (typeof targetPort === 'number') return targetPort || port
  if (targetPort === undefined || targetPort === '') return port
  const sidecars = (spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always')
  return portNamed([...(spec?.containers ?? []), ...sidecars], targetPort, protocol)
}

function portNamed(containers: readonly Container[], wanted: string, wantedProtocol: string): number | undefined {
  for (const { ports = [] } of containers) {
    const found = ports.find(({ name, protocol = 'TCP' }) => name === wanted && protocol === wantedProtocol)
    if (found) return found.containerPort
  }
  return undefined
}

/** Whether this controller fills in the service's endpoints: with a selector, and not only another name. */
export function hasManagedEndpoints({ spec }: Service): boolean {
  return spec?.type !== 'ExternalName' && Object.keys(spec?.selector ?? {}).length > 0
}
