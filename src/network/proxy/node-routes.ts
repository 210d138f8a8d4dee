/**
 * What one node's rules are made of, kept up to date piece by piece: a change of one service computes that service anew
 * and no other.
 */

import { pods } from '../../apis/core/pod/definition.ts'
import { services } from '../../apis/core/service/definition.ts'
import type { Pod } from '../../apis/core/types.gen.ts'
import { endpointSlices, SERVICE_NAME_LABEL } from '../../apis/discovery/endpoint-slice.ts'
import type { EndpointSlice } from '../../apis/discovery/types.gen.ts'
import { byCodeUnit } from '../../base/group-by.ts'
import type { Informers } from '../../client/informers.ts'
import { type KubeObject, keyOf, keyText, parseKeyText } from '../../machinery/meta/object.ts'
import { type UdpFrontends, udpFrontends } from './flows.ts'
import { type HostPort, hasHostPorts, hostPortsOf } from './host-ports.ts'
import {
  type Fragment,
  hostPortFragment,
  mergeFragments,
  type ProxyRanges,
  type Ruleset,
  serviceFragment,
} from './ruleset.ts'
import { routesOf, type ServiceRoute } from './service-table.ts'

const SLICES_INDEX = 'service-name'
const HOST_PORTS_INDEX = 'node-with-host-ports'

export interface NodeRoutes extends Disposable {
  /** The rules as of now. */
  current(): { readonly ruleset: Ruleset; readonly frontends: UdpFrontends }
}

export interface NodeRoutesOptions {
  readonly informers: Informers
  readonly nodeName: string
  readonly ranges: ProxyRanges
  /** Called after every change that may matter; quick. */
  readonly onChange: () => void
}

interface Piece {
  readonly routes: readonly ServiceRoute[]
  readonly fragments: readonly Fragment[]
}

export function followRoutes({ informers, nodeName, ranges, onChange }: NodeRoutesOptions): NodeRoutes {
  const allServices = informers.of(services)
  const allSlices = informers.of(endpointSlices)
  const allPods = informers.of(pods)
  allSlices.addIndex(SLICES_INDEX, (slice) => serviceKeys(slice))
  allPods.addIndex(HOST_PORTS_INDEX, (pod) => (pod.spec?.nodeName && hasHostPorts(pod) ? [pod.spec.nodeName] : []))
  const pieces = new Map<string, Piece>()
  const dirty = new Set<string>()

  const touch = (keys: readonly string[]) => {
    for (const key of keys) dirty.add(key)
    if (keys.length > 0) onChange()
  }
  const follow = <T extends KubeObject>(keysOf: (object: T) => readonly string[]) => ({
    added: (object: T) => touch(keysOf(object)),
    updated: (object: T, previous: T) => touch([...keysOf(previous), ...keysOf(object)]),
    deleted: (object: T) => touch(keysOf(object)),
  })
  const touchPod = (pod: Pod) => {
    if (pod.spec?.nodeName === nodeName && hasHostPorts(pod)) onChange()
  }
  const unsubscribe = [
    allServices.subscribe(follow((service) => [keyText(keyOf(service))])),
    allSlices.subscribe(follow(serviceKeys)),
    allPods.subscribe({ added: touchPod, updated: touchPod, deleted: touchPod }),
  ]
  const refresh = (key: string) => {
    const service = allServices.get(parseKeyText(key))
    const routes = service ? routesOf(service, allSlices.byIndex(SLICES_INDEX, key), nodeName) : []
    if (routes.length === 0) pieces.delete(key)
    else pieces.set(key, { routes, fragments: routes.map((route) => serviceFragment(route, ranges)) })
  }
  return {
    current() {
      for (const key of dirty) refresh(key)
      dirty.clear()
      const ordered = [...pieces].sort(([left], [right]) => byCodeUnit(left, right)).map(([, piece]) => piece)
      const hostPorts = [...allPods.byIndex(HOST_PORTS_INDEX, nodeName)].sort(byAge).flatMap(hostPortsOf)
      const fragments = [...ordered.flatMap((piece) => piece.fragments), hostPortFragment(hostPorts)]
      return { ruleset: mergeFragments(fragments), frontends: frontendsOf(ordered, hostPorts) }
    },
    [Symbol.dispose]() {
      for (const stop of unsubscribe) stop()
    },
  }
}

function frontendsOf(pieces: readonly Piece[], hostPorts: readonly HostPort[]): UdpFrontends {
  return udpFrontends(
    pieces.flatMap(({ routes }) => routes),
    hostPorts,
  )
}

function serviceKeys({ metadata }: EndpointSlice): readonly string[] {
  const name = metadata.labels?.[SERVICE_NAME_LABEL]
  return name ? [keyText({ namespace: metadata.namespace, name })] : []
}

/** A new pod takes a port over only once the old one is gone. */
function byAge(left: Pod, right: Pod): number {
  const age = ({ metadata }: Pod) => `${metadata.creationTimestamp} ${metadata.uid}`
  return byCodeUnit(age(left), age(right))
}
