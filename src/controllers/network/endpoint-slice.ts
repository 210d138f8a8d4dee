/** endpointslice-controller: the addresses of a service's pods, with their conditions, in slices of at most 100. */

import { pods } from '../../apis/core/pod/definition.ts'
import { services } from '../../apis/core/service/definition.ts'
import type { Pod, Service } from '../../apis/core/types.gen.ts'
import { endpointSlices, SERVICE_NAME_LABEL } from '../../apis/discovery/endpoint-slice.ts'
import type { Endpoint, EndpointPort, EndpointSlice } from '../../apis/discovery/types.gen.ts'
import { deepEqual } from '../../base/deep-equal.ts'
import { byCodeUnit, groupBy } from '../../base/group-by.ts'
import { parseIp } from '../../base/ip.ts'
import { ownerReferenceTo } from '../../machinery/meta/owner.ts'
import { type Action, createAction, deleteAction, updateAction } from '../runtime/action.ts'
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
import { groupKey, packSlices, type SliceGroup } from './slice-packing.ts'

export const MANAGED_BY_LABEL = 'endpointslice.kubernetes.io/managed-by'
const SLICE_CONTROLLER = 'endpointslice-controller.k8s.io'

/** Upstream's default; every change of one endpoint sends its whole slice to every node. */
const ENDPOINTS_PER_SLICE_MAX = 100

export interface EndpointSliceView {
  readonly service: Service
  readonly pods: readonly Pod[]
  /** Those of this controller. */
  readonly slices: readonly EndpointSlice[]
}

export const endpointSliceController = defineController({
  name: 'endpointslice-controller',
  reconciles: services,
  owns: [endpointSlices],
  watches: [{ definition: pods, keysOf: servicesOf }],
  observe: (cache, key): EndpointSliceView | undefined => {
    const service = cache.get(services, key)
    if (!service || service.metadata.deletionTimestamp || !hasManagedEndpoints(service)) return undefined
    const slices = cache
      .controlledBy(endpointSlices, service)
      .filter(({ metadata }) => metadata.labels?.[MANAGED_BY_LABEL] === SLICE_CONTROLLER && !metadata.deletionTimestamp)
    return { service, pods: podsOf(cache, service), slices }
  },
  plan: planEndpointSlices,
})

export function planEndpointSlices(view: EndpointSliceView): Plan {
  const { service, slices } = view
  const desired = desiredGroups(view)
  const existing = groupBy(slices, groupKey)
  const groups = new Map<string, SliceGroup & { readonly endpoints: readonly Endpoint[] }>(desired)
  for (const [key, [slice]] of existing) {
    if (slice && !groups.has(key))
      groups.set(key, { addressType: slice.addressType, ports: slice.ports ?? [], endpoints: [] })
  }
  // A service without endpoints keeps one empty slice for each address type, so that its readers know.
  const trigger = triggerTime(view, desired)
  const actions = [...groups].flatMap(([key, group]) => {
    const present = existing.get(key) ?? []
    if (isPlaceholder(group) && group.endpoints.length === 0 && desired.has(key))
      return planPlaceholder(service, group, present, trigger)
    return planGroup(service, group, present, trigger)
  })
  return { actions }
}

type Group = SliceGroup & { readonly endpoints: readonly Endpoint[] }

/** What is wanted, by group; without any endpoint of an address type, its placeholder. */
function desiredGroups({ service, pods: all }: EndpointSliceView): ReadonlyMap<string, Group> {
  const sorted = [...all].sort((left, right) => byCodeUnit(left.metadata.name ?? '', right.metadata.name ?? ''))
  const groups = new Map<string, Group & { readonly endpoints: Endpoint[] }>()
  for (const addressType of addressTypesOf(service)) {
    const before = groups.size
    for (const pod of sorted) {
      const endpoint = hasEndpoint(pod, true) ? endpointOf(service, pod, addressType) : undefined
      if (!endpoint) continue
      const group = { addressType, ports: portsOf(service, pod), endpoints: [endpoint] }
      const same = groups.get(groupKey(group))
      if (same) same.endpoints.push(endpoint)
      else groups.set(groupKey(group), group)
    }
    if (groups.size > before) continue
    const placeholder = { addressType, ports: [], endpoints: [] }
    groups.set(groupKey(placeholder), placeholder)
  }
  return groups
}

function addressTypesOf({ spec }: Service): readonly ('IPv4' | 'IPv6')[] {
  const families = (spec?.ipFamilies ?? []).filter((family) => family !== '')
  return families.length > 0 ? families : ['IPv4']
}

function endpointOf(service: Service, pod: Pod, addressType: 'IPv4' | 'IPv6'): Endpoint | undefined {
  const family = addressType === 'IPv4' ? 4 : 6
  const addresses = addressesOf(pod.status).filter((address) => parseIp(address)?.family === family)
  if (addresses.length === 0) return undefined
  const serving = isReady(pod)
  const terminating = Boolean(pod.metadata.deletionTimestamp)
  const ready = Boolean(service.spec?.publishNotReadyAddresses) || (serving && !terminating)
  const hostname = hostnameIn(service, pod)
  return {
    addresses,
    conditions: { ready, serving, terminating },
    ...(hostname && { hostname }),
    ...(pod.spec?.nodeName && { nodeName: pod.spec.nodeName }),
    targetRef: targetReference(pod),
  }
}

function portsOf(service: Service, pod: Pod): readonly EndpointPort[] {
  return (service.spec?.ports ?? []).flatMap((servicePort) => {
    const { name = '', protocol = 'TCP', appProtocol } = servicePort
    const port = targetPortOf(pod, servicePort)
    return port === undefined ? [] : [{ name, port, protocol, ...(appProtocol !== undefined && { appProtocol }) }]
  })
}

function isPlaceholder({ ports }: SliceGroup): boolean {
  return ports.length === 0
}

function planPlaceholder(
  service: Service,
  group: SliceGroup,
  present: readonly EndpointSlice[],
  trigger: string | undefined,
): readonly Action[] {
  const [kept, ...surplus] = present
  const remove = surplus.map((slice) => deleteAction(endpointSlices, slice))
  if (!kept) return [createAction(endpointSlices, newSlice(service, group, [], trigger)), ...remove]
  const isRight = sameMetadata(service, kept) && (kept.endpoints ?? []).length === 0
  return [...(isRight ? [] : [updateSlice(service, kept, [], trigger)]), ...remove]
}

function planGroup(
  service: Service,
  group: Group,
  present: readonly EndpointSlice[],
  trigger: string | undefined,
): readonly Action[] {
  const packing = packSlices(present, group.endpoints, ENDPOINTS_PER_SLICE_MAX)
  const relabelled = packing.keep.filter((slice) => !sameMetadata(service, slice))
  return [
    ...packing.create.map((endpoints) => createAction(endpointSlices, newSlice(service, group, endpoints, trigger))),
    ...packing.update.map(({ slice, endpoints }) => updateSlice(service, slice, endpoints, trigger)),
    ...relabelled.map((slice) => updateSlice(service, slice, slice.endpoints ?? [], trigger)),
    ...packing.delete.map((slice) => deleteAction(endpointSlices, slice)),
  ]
}

function newSlice(
  service: Service,
  { addressType, ports }: SliceGroup,
  endpoints: readonly Endpoint[],
  trigger: string | undefined,
): Omit<EndpointSlice, 'apiVersion' | 'kind'> {
  const { namespace, name } = service.metadata
  const metadata = {
    namespace,
    generateName: `${name}-`,
    labels: labelsFor(service),
    ownerReferences: [ownerReferenceTo(service, { apiVersion: 'v1', kind: 'Service' })],
    ...(trigger !== undefined && { annotations: { [LAST_CHANGE_ANNOTATION]: trigger } }),
  }
  return { metadata, addressType, endpoints, ports }
}

function updateSlice(
  service: Service,
  slice: EndpointSlice,
  endpoints: readonly Endpoint[],
  trigger: string | undefined,
): Action {
  const { [LAST_CHANGE_ANNOTATION]: _, ...others } = slice.metadata.annotations ?? {}
  const annotations = trigger === undefined ? others : { ...others, [LAST_CHANGE_ANNOTATION]: trigger }
  const metadata = { ...slice.metadata, labels: labelsFor(service), annotations }
  return updateAction(endpointSlices, { ...slice, metadata, endpoints })
}

function sameMetadata(service: Service, { metadata }: EndpointSlice): boolean {
  return deepEqual(metadata.labels ?? {}, labelsFor(service))
}

function labelsFor(service: Service): Readonly<Record<string, string>> {
  const { [HEADLESS_LABEL]: _, ...labels } = service.metadata.labels ?? {}
  return {
    ...labels,
    [SERVICE_NAME_LABEL]: service.metadata.name ?? '',
    [MANAGED_BY_LABEL]: SLICE_CONTROLLER,
    ...(isHeadless(service) && { [HEADLESS_LABEL]: '' }),
  }
}

/** The earliest change that this plan answers: of a pod's readiness, or the service's creation. */
function triggerTime({ service, pods: all, slices }: EndpointSliceView, desired: ReadonlyMap<string, Group>) {
  const known = new Map<string | undefined, Endpoint>()
  for (const { endpoints } of slices) for (const one of endpoints ?? []) known.set(one.targetRef?.uid, one)
  const changed = new Set<string | undefined>()
  for (const { endpoints } of desired.values()) {
    for (const one of endpoints) if (!deepEqual(one, known.get(one.targetRef?.uid))) changed.add(one.targetRef?.uid)
  }
  const times = all.filter(({ metadata }) => changed.has(metadata.uid)).flatMap((pod) => readinessChangedAt(pod) ?? [])
  if (slices.length === 0 && service.metadata.creationTimestamp) times.push(service.metadata.creationTimestamp)
  return times.sort(byCodeUnit)[0]
}
