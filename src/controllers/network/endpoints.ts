/** endpoints-controller: a service's backends in the older form, one object per service, at most 1,000 addresses. */

import { endpoints } from '../../apis/core/endpoints.ts'
import { pods } from '../../apis/core/pod/definition.ts'
import { services } from '../../apis/core/service/definition.ts'
import type {
  EndpointAddress,
  EndpointPort,
  EndpointSubset,
  Endpoints,
  Pod,
  Service,
} from '../../apis/core/types.gen.ts'
import { deepEqual } from '../../base/deep-equal.ts'
import { byCodeUnit } from '../../base/group-by.ts'
import { keyOf } from '../../machinery/meta/object.ts'
import { createAction, deleteAction, updateAction } from '../runtime/action.ts'
import { defineController, type Plan } from '../runtime/controller.ts'
import {
  addressesOf,
  HEADLESS_LABEL,
  hasEndpoint,
  hasManagedEndpoints,
  hostnameIn,
  isHeadless,
  isReady,
  LAST_CHANGE_ANNOTATION,
  podsOf,
  readinessChangedAt,
  servicesOf,
  targetPortOf,
  targetReference,
} from './service-pods.ts'

export const ENDPOINTS_MANAGED_BY_LABEL = 'endpoints.kubernetes.io/managed-by'
export const ENDPOINTS_CONTROLLER = 'endpoint-controller'
const OVER_CAPACITY_ANNOTATION = 'endpoints.kubernetes.io/over-capacity'

/** More do not fit into one object; upstream's limit. */
const ADDRESSES_MAX = 1000

export interface EndpointsView {
  /** Undefined: the service is gone, and its Endpoints must go. */
  readonly service: Service | undefined
  readonly pods: readonly Pod[]
  readonly existing: Endpoints | undefined
}

export const endpointsController = defineController({
  name: 'endpoints-controller',
  reconciles: services,
  watches: [
    { definition: pods, keysOf: servicesOf },
    // Endpoints without a service are their author's; only those of services are repaired.
    { definition: endpoints, keysOf: (object, cache) => (cache.get(services, keyOf(object)) ? [keyOf(object)] : []) },
  ],
  observe: (cache, key): EndpointsView | undefined => {
    const service = cache.get(services, key)
    if (service && !hasManagedEndpoints(service)) return undefined
    const existing = cache.get(endpoints, key)
    return { service, existing, pods: service ? podsOf(cache, service) : [] }
  },
  plan: planEndpoints,
})

export function planEndpoints(view: EndpointsView): Plan {
  const { service, existing } = view
  if (!service) return { actions: existing ? [deleteAction(endpoints, existing)] : [] }
  if (service.metadata.deletionTimestamp) return { actions: [] }
  const all = packSubsets(service, view.pods)
  const { subsets, truncated } = truncate(all)
  const { namespace, name } = service.metadata
  const {
    [LAST_CHANGE_ANNOTATION]: _,
    [OVER_CAPACITY_ANNOTATION]: __,
    ...others
  } = existing?.metadata.annotations ?? {}
  const capacity = truncated ? { [OVER_CAPACITY_ANNOTATION]: 'truncated' } : {}
  const labels = labelsFor(service)
  const isRight =
    existing &&
    deepEqual(existing.subsets ?? [], subsets) &&
    deepEqual(existing.metadata.labels ?? {}, labels) &&
    existing.metadata.annotations?.[OVER_CAPACITY_ANNOTATION] === capacity[OVER_CAPACITY_ANNOTATION]
  if (isRight) return { actions: [] }
  const trigger = triggerTime(view)
  const annotations = { ...others, ...capacity, ...(trigger !== undefined && { [LAST_CHANGE_ANNOTATION]: trigger }) }
  if (existing) {
    const metadata = { ...existing.metadata, labels, annotations }
    return { actions: [updateAction(endpoints, { ...existing, metadata, subsets })] }
  }
  return { actions: [createAction(endpoints, { metadata: { namespace, name, labels, annotations }, subsets })] }
}

function labelsFor(service: Service): Readonly<Record<string, string>> {
  const { [HEADLESS_LABEL]: _, ...labels } = service.metadata.labels ?? {}
  return {
    ...labels,
    [ENDPOINTS_MANAGED_BY_LABEL]: ENDPOINTS_CONTROLLER,
    ...(isHeadless(service) && { [HEADLESS_LABEL]: '' }),
  }
}

interface Backend {
  readonly address: EndpointAddress
  readonly ready: boolean
  readonly ports: readonly EndpointPort[]
}

/** One subset for each list of ports; every address once, under all of its ports. */
function packSubsets(service: Service, all: readonly Pod[]): readonly EndpointSubset[] {
  const backends = all
    .filter((pod) => hasEndpoint(pod, Boolean(service.spec?.publishNotReadyAddresses)))
    .flatMap((pod) => backendOf(service, pod) ?? [])
    .sort((left, right) => byCodeUnit(left.address.ip, right.address.ip))
  const groups = new Map<string, Backend[]>()
  for (const backend of backends) {
    const key = JSON.stringify(backend.ports)
    const group = groups.get(key)
    if (group) group.push(backend)
    else groups.set(key, [backend])
  }
  return [...groups.entries()].sort(([left], [right]) => byCodeUnit(left, right)).map(([, group]) => subsetOf(group))
}

function subsetOf(group: readonly Backend[]): EndpointSubset {
  const addresses = group.filter(({ ready }) => ready).map(({ address }) => address)
  const notReadyAddresses = group.filter(({ ready }) => !ready).map(({ address }) => address)
  const ports = group[0]?.ports ?? []
  return {
    ...(addresses.length > 0 && { addresses }),
    ...(notReadyAddresses.length > 0 && { notReadyAddresses }),
    ...(ports.length > 0 && { ports }),
  }
}

/** Undefined when the pod has none of the service's ports. */
function backendOf(service: Service, pod: Pod): Backend | undefined {
  const [ip] = addressesOf(pod.status)
  if (ip === undefined) return undefined
  const wanted = service.spec?.ports ?? []
  const ports = wanted.flatMap((servicePort) => {
    const { name, protocol = 'TCP', appProtocol } = servicePort
    const port = targetPortOf(pod, servicePort)
    if (port === undefined) return []
    return [{ ...(name && { name }), port, protocol, ...(appProtocol !== undefined && { appProtocol }) }]
  })
  const isPortless = wanted.length === 0 && isHeadless(service)
  if (ports.length === 0 && !isPortless) return undefined
  const hostname = hostnameIn(service, pod)
  const address = {
    ip,
    ...(hostname && { hostname }),
    ...(pod.spec?.nodeName && { nodeName: pod.spec.nodeName }),
    targetRef: targetReference(pod),
  }
  return {
    address,
    ready: Boolean(service.spec?.publishNotReadyAddresses) || isReady(pod),
    ports: ports.sort((left, right) => byCodeUnit(JSON.stringify(left), JSON.stringify(right))),
  }
}

/** Ready addresses first, then the others, until the object is full. */
function truncate(subsets: readonly EndpointSubset[]) {
  const total = subsets.reduce(
    (sum, { addresses, notReadyAddresses }) => sum + (addresses?.length ?? 0) + (notReadyAddresses?.length ?? 0),
    0,
  )
  if (total <= ADDRESSES_MAX) return { subsets, truncated: false }
  let room = ADDRESSES_MAX
  const take = (list: readonly EndpointAddress[] = []) => {
    const taken = list.slice(0, room)
    room -= taken.length
    return taken
  }
  const ready = subsets.map(({ addresses }) => take(addresses))
  const notReady = subsets.map(({ notReadyAddresses }) => take(notReadyAddresses))
  const left = subsets.flatMap(({ ports }, index) => {
    const addresses = ready[index] ?? []
    const notReadyAddresses = notReady[index] ?? []
    if (addresses.length + notReadyAddresses.length === 0) return []
    return [
      {
        ...(addresses.length > 0 && { addresses }),
        ...(notReadyAddresses.length > 0 && { notReadyAddresses }),
        ...(ports && { ports }),
      },
    ]
  })
  return { subsets: left, truncated: true }
}

/** The earliest change that this plan answers: a pod that is new here or whose readiness is, or the service's creation. */
function triggerTime({ service, pods: all, existing }: EndpointsView): string | undefined {
  if (!existing) {
    const times = [service?.metadata.creationTimestamp, ...all.map(readinessChangedAt)].flatMap((time) => time ?? [])
    return times.sort(byCodeUnit)[0]
  }
  const known = new Map<string | undefined, boolean>()
  for (const { addresses, notReadyAddresses } of existing.subsets ?? []) {
    for (const { targetRef } of addresses ?? []) known.set(targetRef?.uid, true)
    for (const { targetRef } of notReadyAddresses ?? []) known.set(targetRef?.uid, false)
  }
  const changed = all.filter((pod) => known.get(pod.metadata.uid) !== isReady(pod))
  return changed.flatMap((pod) => readinessChangedAt(pod) ?? []).sort(byCodeUnit)[0]
}
