/**
 * Pure: which routes nodes and the host need, and how to get there from the routes they have. t8s' routes carry a
 * protocol number of their own and, on the host, a metric made from the cluster's name: so they are found and removed
 * without any record of them, and several clusters live side by side.
 */

import { fnv32a } from '../../base/hash.ts'
import { cidrsOverlap, parseCidr } from '../../base/ip.ts'

/** A node with its part of the pods' range. */
export interface NodeRoute {
  readonly ip: string
  readonly podCidr: string
}

export interface Route {
  readonly destination: string
  /** Undefined: unreachable, and said so at once. */
  readonly via?: string | undefined
  readonly metric?: number | undefined
}

/** Marks a route as ours; 116 is assigned to nobody. */
const ROUTE_PROTOCOL = 116

export const SHOW_ROUTES = ['route', 'show', 'proto', String(ROUTE_PROTOCOL)]

/** What a node needs to reach the pods of the others. */
export function nodeRoutes(own: string, nodes: readonly NodeRoute[]): readonly Route[] {
  return nodes.filter(({ ip }) => ip !== own).map(({ ip, podCidr }) => ({ destination: podCidr, via: ip }))
}

export interface ClusterRanges {
  readonly clusterName: string
  readonly clusterPodCidr: string
  readonly serviceCidr: string
}

/**
 * What the host needs to reach pods and services. Services are reached through the first node: all of them know all
 * services. Behind every route stands one that says unreachable, so that nothing of these ranges leaves the machine
 * when no node is there.
 */
export function hostRoutes(ranges: ClusterRanges, nodes: readonly NodeRoute[]): readonly Route[] {
  const { metric, fallbackMetric } = metricsOf(ranges.clusterName)
  const first = nodes[0]
  return [
    ...nodes.map(({ ip, podCidr }) => ({ destination: podCidr, via: ip, metric })),
    ...(first ? [{ destination: ranges.serviceCidr, via: first.ip, metric }] : []),
    { destination: ranges.clusterPodCidr, metric: fallbackMetric },
    { destination: ranges.serviceCidr, metric: fallbackMetric },
  ]
}

/** Above every metric that others use, so a route of the user's own always comes first. `0x7438` is `t8`. */
const METRIC_BASE = 0x7438_0000
const METRICS = 0x1_0000

export function metricsOf(clusterName: string): { readonly metric: number; readonly fallbackMetric: number } {
  const metric = METRIC_BASE + (fnv32a(clusterName) % (METRICS / 2)) * 2
  return { metric, fallbackMetric: metric + 1 }
}

/** The host's routes of one cluster, out of all that are ours. */
export function routesOfCluster(clusterName: string, routes: readonly Route[]): readonly Route[] {
  const { metric, fallbackMetric } = metricsOf(clusterName)
  return routes.filter((route) => route.metric === metric || route.metric === fallbackMetric)
}

/** Routes of other clusters into these ranges: two clusters cannot share one. */
export function conflictingRoutes(ranges: ClusterRanges, routes: readonly Route[]): readonly Route[] {
  const own = new Set(routesOfCluster(ranges.clusterName, routes))
  const wanted = [ranges.clusterPodCidr, ranges.serviceCidr]
  return routes.filter((route) => !own.has(route) && wanted.some((cidr) => overlap(cidr, route.destination)))
}

/** False when one of them is no range. */
export function overlap(left: string, right: string): boolean {
  const [first, second] = [parseCidr(left), parseCidr(right)]
  return first !== undefined && second !== undefined && cidrsOverlap(first, second)
}

/** Lines for `ip -batch`: first what is no longer wanted goes, then what is missing comes. */
export function routeChanges(present: readonly Route[], wanted: readonly Route[]): readonly string[] {
  const has = new Set(present.map(textOf))
  const wants = new Set(wanted.map(textOf))
  return [
    ...present.filter((route) => !wants.has(textOf(route))).map((route) => `route del ${textOf(route)}`),
    ...wanted.filter((route) => !has.has(textOf(route))).map((route) => `route add ${textOf(route)}`),
  ]
}

function textOf({ destination, via, metric }: Route): string {
  const target = via === undefined ? `unreachable ${destination}` : `${destination} via ${via}`
  return `${target}${metric === undefined ? '' : ` metric ${metric}`} proto ${ROUTE_PROTOCOL}`
}

/** A line of /proc/net/route: the device, then destination and gateway in hexadecimal, and what `ROUTE_FIELDS` names. */
const ROUTE_FIELDS = { destination: 1, gateway: 2, metric: 6, mask: 7 } as const

/** The clusters' routes in the text of /proc/net/route, known by their metrics: the host's own table, read without `ip`. */
export function clusterRoutes(table: string): readonly Route[] {
  return table.split('\n').flatMap((line) => {
    const fields = line.split('\t').map((field) => field.trim())
    const metric = Number(fields[ROUTE_FIELDS.metric])
    if (!(metric >= METRIC_BASE && metric < METRIC_BASE + METRICS)) return []
    const bytesOf = (at: number) => Buffer.from(fields[at] ?? '', 'hex').reverse()
    const bits = [...bytesOf(ROUTE_FIELDS.mask)].reduce(
      (sum, byte) => sum + byte.toString(2).replaceAll('0', '').length,
      0,
    )
    const gateway = bytesOf(ROUTE_FIELDS.gateway)
    const destination = `${bytesOf(ROUTE_FIELDS.destination).join('.')}/${bits}`
    return [{ destination, ...(gateway.some((byte) => byte !== 0) && { via: gateway.join('.') }), metric }]
  })
}

/** The answer of `ip -json route show`. */
export function parseRoutes(answer: readonly unknown[]): readonly Route[] {
  return answer.flatMap((entry) => {
    const { dst, gateway, metric, type } = entry as Record<string, unknown>
    if (typeof dst !== 'string') return []
    const destination = dst.includes('/') ? dst : `${dst}/32`
    const unreachable = type === 'unreachable' || typeof gateway !== 'string'
    return [{ destination, ...(!unreachable && { via: gateway }), ...(typeof metric === 'number' && { metric }) }]
  })
}
