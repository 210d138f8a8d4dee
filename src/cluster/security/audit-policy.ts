/**
 * What is logged where nobody says otherwise: what people and workloads do, and what the cluster's own components
 * change; one line for each request, never what was sent or answered. Left out is what repeats itself all day: health,
 * metrics and discovery, what components and nodes read, and the writes by which they report.
 */

import type { AuditPolicy } from '../../server/audit/policy.ts'
import { CONTROLLER_MANAGER, NODES_GROUP, SCHEDULER, SYSTEM } from '../identities.ts'

const READING = ['get', 'list', 'watch']

const DOCUMENTS = ['/', '/healthz*', '/livez*', '/readyz*', '/version', '/metrics*', '/openapi/*']
const DISCOVERY = ['/api', '/api/*', '/apis', '/apis/*']

/** What a component reports of itself and of others. */
const REPORTS = [
  { group: 'coordination.k8s.io', resources: ['leases'] },
  { group: '', resources: ['events', 'endpoints'] },
  { group: 'events.k8s.io', resources: ['events'] },
  { group: 'discovery.k8s.io', resources: ['endpointslices'] },
  { group: '*', resources: ['*/status'] },
]

const COMPONENTS = { users: [SYSTEM, CONTROLLER_MANAGER, SCHEDULER].map(({ name }) => name) }
const CONTROLLERS = { userGroups: ['system:serviceaccounts:kube-system'] }
const NODES = { userGroups: [NODES_GROUP] }

export const USUAL_AUDIT_POLICY: AuditPolicy = {
  omitStages: ['RequestReceived'],
  rules: [
    ...[COMPONENTS, CONTROLLERS, NODES].flatMap((who) => [
      { level: 'None', ...who, verbs: READING },
      { level: 'None', ...who, resources: REPORTS },
    ]),
    { level: 'None', verbs: ['get', 'head'], nonResourceURLs: [...DOCUMENTS, ...DISCOVERY] },
    { level: 'Metadata' },
  ],
}
