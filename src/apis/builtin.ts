/** The one list of built-in resources. A new resource is a new file and one line here. Order: as discovery shows groups. */

import { daemonSets } from './apps/daemon-set.ts'
import { deployments } from './apps/deployment.ts'
import { replicaSets } from './apps/replica-set.ts'
import { statefulSets } from './apps/stateful-set.ts'
import { leases } from './coordination/lease.ts'
import { configMaps } from './core/config-map.ts'
import { endpoints } from './core/endpoints.ts'
import { events } from './core/event.ts'
import { namespaces } from './core/namespace.ts'
import { nodes } from './core/node.ts'
import { persistentVolumeClaims } from './core/persistent-volume-claim.ts'
import { pods } from './core/pod/definition.ts'
import { secrets } from './core/secret.ts'
import { services } from './core/service/definition.ts'
import { serviceAccounts } from './core/service-account.ts'
import type { ResourceDefinition } from './definition.ts'
import { endpointSlices } from './discovery/endpoint-slice.ts'
import { eventsV1 } from './events/event.ts'

export const builtinResources: readonly ResourceDefinition[] = [
  configMaps,
  endpoints,
  events,
  namespaces,
  nodes,
  persistentVolumeClaims,
  pods,
  secrets,
  serviceAccounts,
  services,
  daemonSets,
  deployments,
  replicaSets,
  statefulSets,
  eventsV1,
  leases,
  endpointSlices,
]
