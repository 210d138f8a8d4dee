/** endpointslice-mirroring-controller: hand-written Endpoints of services without a selector, again as slices. */

import { endpoints } from '../../apis/core/endpoints.ts'
import { services } from '../../apis/core/service/definition.ts'
import type { EndpointAddress, Endpoints, Service } from '../../apis/core/types.gen.ts'
import { endpointSlices, SERVICE_NAME_LABEL } from '../../apis/discovery/endpoint-slice.ts'
import type { Endpoint, EndpointSlice } from '../../apis/discovery/types.gen.ts'
import { deepEqual } from '../../base/deep-equal.ts'
import { groupBy } from '../../base/group-by.ts'
import { parseIp } from '../../base/ip.ts'
import { keyOf, type ObjectKey } from '../../machinery/meta/object.ts'
import { ownerReferenceTo } from '../../machinery/meta/owner.ts'
import { type Action, createAction, deleteAction, updateAction } from '../runtime/action.ts'
import { type Cache, defineController, type Plan } from '../runtime/controller.ts'
import { MANAGED_BY_LABEL } from './endpoint-slice.ts'
import { ENDPOINTS_CONTROLLER, ENDPOINTS_MANAGED_BY_LABEL } from './endpoints.ts'
import { LAST_CHANGE_ANNOTATION } from './service-pods.ts'
import { groupKey, packSlices, type SliceGroup } from './slice-packing.ts'

const MIRRORING_CONTROLLER = 'endpointslicemirroring-controller.k8s.io'
const SKIP_LABEL = 'endpointslice.kubernetes.io/skip-mirror'
const LEADER_ANNOTATION = 'control-plane.alpha.kubernetes.io/leader'
const LAST_APPLIED_ANNOTATION = 'kubectl.kubernetes.io/last-applied-configuration'
/** Of one subset, upstream's limit; a slice takes as many. */
const ADDRESSES_MAX = 1000
/** `namespace/service` of slices that this controller made. */
const MIRRORED_INDEX = 'mirrored-service'

export interface MirroringView {
  /** Undefined: nothing is to be mirrored, and what was mirrored goes. */
  readonly endpoints: Endpoints | undefined
  readonly slices: readonly EndpointSlice[]
}

export const endpointSliceMirroringController = defineController({
  name: 'endpointslice-mirroring-controller',
  reconciles: endpoints,
  watches: [
    { definition: services, keysOf: (service) => [keyOf(service)] },
    { definition: endpointSlices, keysOf: mirroredKeys },
  ],
  observe: (cache, key): MirroringView => {
    const written = cache.get(endpoints, key)
    const isMirrored = written && wantsMirror(written) && isUnmanaged(cache.get(services, key))
    return { endpoints: isMirrored ? written : undefined, slices: mirroredSlices(cache, key) }
  },
  plan: planMirroring,
})

function wantsMirror({ metadata }: Endpoints): boolean {
  const { labels = {}, annotations = {} } = metadata
  if (labels[SKIP_LABEL] === 'true' || labels[ENDPOINTS_MANAGED_BY_LABEL] === ENDPOINTS_CONTROLLER) return false
  return annotations[LEADER_ANNOTATION] === undefined && !metadata.deletionTimestamp
}

function isUnmanaged(service: Service | undefined): boolean {
  return service !== undefined && service.spec?.selector === undefined
}

function mirroredKeys({ metadata }: EndpointSlice): readonly ObjectKey[] {
  const name = metadata.labels?.[SERVICE_NAME_LABEL]
  const isOurs = metadata.labels?.[MANAGED_BY_LABEL] === MIRRORING_CONTROLLER
  return isOurs && name ? [{ namespace: metadata.namespace, name }] : []
}

function mirroredSlices(cache: Cache, { namespace, name }: ObjectKey): readonly EndpointSlice[] {
  const informer = cache.informer(endpointSlices)
  informer.addIndex(MIRRORED_INDEX, (slice) => mirroredKeys(slice).map((key) => `${key.namespace}/${key.name}`))
  return informer.byIndex(MIRRORED_INDEX, `${namespace}/${name}`).filter(({ metadata }) => !metadata.deletionTimestamp)
}

export function planMirroring({ endpoints: written, slices }: MirroringView): Plan {
  if (!written) return { actions: slices.map((slice) => deleteAction(endpointSlices, slice)) }
  const existing = groupBy(slices, groupKey)
  const groups = new Map<string, Group>(mirroredGroups(written))
  for (const [key, [slice]] of existing) {
    if (slice && !groups.has(key))
      groups.set(key, { addressType: slice.addressType, ports: slice.ports ?? [], endpoints: [] })
  }
  const { skipped } = cappedSubsets(written)
  const tooMany = `Skipping ${skipped} invalid IP addresses when mirroring to EndpointSlices`
  const report: Action[] =
    skipped > 0
      ? [
          {
            do: 'event',
            event: { regarding: written, type: 'Warning', reason: 'TooManyAddressesToMirror', message: tooMany },
          },
        ]
      : []
  const changes = [...groups].flatMap(([key, group]) => planGroup(written, group, existing.get(key) ?? []))
  return { actions: [...(changes.length > 0 ? report : []), ...changes] }
}

type Group = SliceGroup & { readonly endpoints: Endpoint[] }

interface CappedSubset {
  readonly ports: SliceGroup['ports']
  readonly addresses: readonly { readonly address: EndpointAddress; readonly ready: boolean }[]
}

function cappedSubsets({ subsets = [] }: Endpoints): {
  readonly subsets: readonly CappedSubset[]
  readonly skipped: number
} {
  let skipped = 0
  const capped = subsets.map(({ addresses = [], notReadyAddresses = [], ports = [] }) => {
    const all = [
      ...addresses.map((address) => ({ address, ready: true })),
      ...notReadyAddresses.map((address) => ({ address, ready: false })),
    ]
    skipped += Math.max(0, all.length - ADDRESSES_MAX)
    const named = ports.map(({ name = '', ...port }) => ({ name, ...port }))
    return { ports: named, addresses: all.slice(0, ADDRESSES_MAX) }
  })
  return { subsets: capped, skipped }
}

function mirroredGroups(written: Endpoints): ReadonlyMap<string, Group> {
  const groups = new Map<string, Group>()
  for (const { ports, addresses } of cappedSubsets(written).subsets) {
    for (const { address, ready } of addresses) {
      const addressType = parseIp(address.ip)?.family === 6 ? 'IPv6' : 'IPv4'
      const key = groupKey({ addressType, ports })
      const group = groups.get(key) ?? { addressType, ports, endpoints: [] }
      group.endpoints.push(endpointOf(address, ready))
      groups.set(key, group)
    }
  }
  return groups
}

function endpointOf({ ip, hostname, nodeName, targetRef }: EndpointAddress, ready: boolean): Endpoint {
  return {
    addresses: [ip],
    conditions: { ready },
    ...(hostname && { hostname }),
    ...(nodeName && { nodeName }),
    ...(targetRef && { targetRef }),
  }
}

function planGroup(written: Endpoints, group: Group, present: readonly EndpointSlice[]): readonly Action[] {
  const packing = packSlices(present, group.endpoints, ADDRESSES_MAX)
  const stale = packing.keep.filter(({ metadata }) => !deepEqual(metadata.labels ?? {}, labelsFor(written)))
  const update = (slice: EndpointSlice, list: readonly Endpoint[]) =>
    updateAction(endpointSlices, {
      ...slice,
      metadata: { ...slice.metadata, labels: labelsFor(written), annotations: annotationsFor(written) },
      endpoints: list,
    })
  return [
    ...packing.create.map((list) => createAction(endpointSlices, newSlice(written, group, list))),
    ...packing.update.map(({ slice, endpoints: list }) => update(slice, list)),
    ...stale.map((slice) => update(slice, slice.endpoints ?? [])),
    ...packing.delete.map((slice) => deleteAction(endpointSlices, slice)),
  ]
}

function newSlice(
  written: Endpoints,
  { addressType, ports }: SliceGroup,
  list: readonly Endpoint[],
): Omit<EndpointSlice, 'apiVersion' | 'kind'> {
  const { namespace, name } = written.metadata
  const metadata = {
    namespace,
    generateName: `${name}-`,
    labels: labelsFor(written),
    annotations: annotationsFor(written),
    ownerReferences: [ownerReferenceTo(written, { apiVersion: 'v1', kind: 'Endpoints' })],
  }
  return { metadata, addressType, endpoints: list, ports }
}

function labelsFor({ metadata }: Endpoints): Readonly<Record<string, string>> {
  return { ...metadata.labels, [SERVICE_NAME_LABEL]: metadata.name ?? '', [MANAGED_BY_LABEL]: MIRRORING_CONTROLLER }
}

function annotationsFor({ metadata }: Endpoints): Readonly<Record<string, string>> {
  const { [LAST_CHANGE_ANNOTATION]: _, [LAST_APPLIED_ANNOTATION]: __, ...others } = metadata.annotations ?? {}
  return others
}
