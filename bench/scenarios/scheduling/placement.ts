/** Where the pods of a family have gone: a fast scheduler that puts them anywhere would be worth nothing. */

import type { Connection } from '../../connection.ts'

export interface Placement {
  /** Pods by zone; those without pods are missing. */
  readonly zones: readonly (readonly [zone: string, count: number])[]
  readonly allZones: number
  readonly mostOnNode: number
}

interface Bound {
  readonly spec: { readonly nodeName?: string }
}

interface Labelled {
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> }
}

/** Throws when a pod is on a node that is not there. */
export async function placementOf(connection: Connection, selector: string): Promise<Placement> {
  const pods = await items<Bound>(connection, `/api/v1/namespaces/default/pods?labelSelector=${selector}`)
  const nodes = await items<Labelled>(connection, '/api/v1/nodes')
  const zoneOf = new Map(nodes.map(({ metadata }) => [metadata.name, metadata.labels['topology.kubernetes.io/zone']]))
  const onNodes = Map.groupBy(pods, ({ spec }) => spec.nodeName ?? '')
  const inZones = Map.groupBy(pods, ({ spec }) => {
    const zone = zoneOf.get(spec.nodeName ?? '')
    if (zone === undefined) throw new Error(`a pod is on ${spec.nodeName}, which is no node`)
    return zone
  })
  return {
    zones: [...inZones].map(([zone, those]) => [zone, those.length] as const),
    allZones: new Set(zoneOf.values()).size,
    mostOnNode: Math.max(0, ...[...onNodes.values()].map((those) => those.length)),
  }
}

async function items<T>(connection: Connection, path: string): Promise<readonly T[]> {
  const { status, body } = await connection.send({ method: 'GET', path })
  if (status !== 200) throw new Error(`${path}: ${status}`)
  return JSON.parse(body.toString()).items
}
