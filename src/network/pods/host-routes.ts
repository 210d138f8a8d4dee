/** The host's own routes to a cluster's pods and services, so that the API server reaches webhooks and metrics. */

import type { NamespaceCommands } from './namespace-command.ts'
import {
  type ClusterRanges,
  conflictingRoutes,
  hostRoutes,
  type NodeRoute,
  parseRoutes,
  routeChanges,
  routesOfCluster,
  SHOW_ROUTES,
} from './routes.ts'

/** Brings the host's routes to what these nodes need. Throws when another cluster has one of the ranges. */
export async function updateHostRoutes(
  commands: NamespaceCommands,
  ranges: ClusterRanges,
  nodes: readonly NodeRoute[],
): Promise<void> {
  const all = parseRoutes(await commands.query('host', SHOW_ROUTES))
  const [conflict] = conflictingRoutes(ranges, all)
  if (conflict) throw new Error(`another cluster on this machine has ${conflict.destination}: choose other ranges`)
  const present = routesOfCluster(ranges.clusterName, all)
  await commands.ip('host', routeChanges(present, hostRoutes(ranges, nodes)))
}

/** Removes every route of a cluster, whether or not it runs. Safe to repeat. */
export async function removeHostRoutes(commands: NamespaceCommands, clusterName: string): Promise<void> {
  const all = parseRoutes(await commands.query('host', SHOW_ROUTES))
  await commands.ip('host', routeChanges(routesOfCluster(clusterName, all), []))
}
