/**
 * Pure: spreads endpoints over slices with as few writes as possible. What is in a slice stays there; what is new first
 * fills slices that are written anyway, then the fullest one that has room for all of it, then new slices.
 */

import type { Endpoint, EndpointPort, EndpointSlice } from '../../apis/discovery/types.gen.ts'
import { deepEqual } from '../../base/deep-equal.ts'
import { byCodeUnit } from '../../base/group-by.ts'

export interface SlicePacking {
  readonly create: readonly (readonly Endpoint[])[]
  readonly update: readonly { readonly slice: EndpointSlice; readonly endpoints: readonly Endpoint[] }[]
  readonly delete: readonly EndpointSlice[]
  /** Slices whose endpoints are right as they are. */
  readonly keep: readonly EndpointSlice[]
}

/** `existing` are the slices of one address type and one list of ports. */
export function packSlices(
  existing: readonly EndpointSlice[],
  desired: readonly Endpoint[],
  endpointsMax: number,
): SlicePacking {
  const missing = new Map(desired.map((endpoint) => [identityOf(endpoint), endpoint]))
  const changed = new Map<EndpointSlice, Endpoint[]>()
  const keep = new Set<EndpointSlice>()
  const remove: EndpointSlice[] = []
  for (const slice of existing) {
    const kept = takeOut(missing, slice)
    if (kept.length === 0) remove.push(slice)
    else if (deepEqual(kept, slice.endpoints)) keep.add(slice)
    else changed.set(slice, kept)
  }
  const left = [...missing.values()]
  for (const endpoints of fullestFirst(changed)) endpoints.push(...left.splice(0, endpointsMax - endpoints.length))
  const create: Endpoint[][] = []
  while (left.length > 0) {
    const roomy = left.length < endpointsMax ? fullestWithRoom(keep, left.length, endpointsMax) : undefined
    if (roomy) {
      keep.delete(roomy)
      changed.set(roomy, [...(roomy.endpoints ?? []), ...left.splice(0)])
    } else create.push(left.splice(0, endpointsMax))
  }
  const update = [...changed].map(([slice, endpoints]) => ({ slice, endpoints }))
  return { create, update, delete: remove, keep: [...keep] }
}

/** The slice's endpoints that are still wanted, in their newest form; they are no longer missing. */
function takeOut(missing: Map<string, Endpoint>, { endpoints }: EndpointSlice): Endpoint[] {
  return (endpoints ?? []).flatMap((endpoint) => {
    const identity = identityOf(endpoint)
    const wanted = missing.get(identity)
    missing.delete(identity)
    return wanted ? [wanted] : []
  })
}

/** The same backend under changed conditions is still the same. */
function identityOf({ addresses, hostname, targetRef }: Endpoint): string {
  return JSON.stringify([addresses, hostname, targetRef?.namespace, targetRef?.name])
}

function fullestFirst(changed: ReadonlyMap<EndpointSlice, Endpoint[]>): readonly Endpoint[][] {
  return [...changed.values()].sort((left, right) => right.length - left.length)
}

function fullestWithRoom(slices: Iterable<EndpointSlice>, room: number, endpointsMax: number) {
  let fullest: EndpointSlice | undefined
  for (const slice of slices) {
    if (sizeOf(slice) + room > endpointsMax) continue
    if (!fullest || sizeOf(slice) > sizeOf(fullest)) fullest = slice
  }
  return fullest
}

function sizeOf({ endpoints }: EndpointSlice): number {
  return endpoints?.length ?? 0
}

/** What slices have in common that may share endpoints. */
export interface SliceGroup {
  readonly addressType: EndpointSlice['addressType']
  readonly ports: readonly EndpointPort[]
}

/** The same for groups that are the same, whatever the order of their ports. */
export function groupKey({ addressType, ports }: Pick<EndpointSlice, 'addressType' | 'ports'>): string {
  const texts = (ports ?? []).map(({ name = '', port, protocol = 'TCP', appProtocol }) =>
    JSON.stringify([name, protocol, port, appProtocol]),
  )
  return `${addressType} ${texts.sort(byCodeUnit).join(' ')}`
}
