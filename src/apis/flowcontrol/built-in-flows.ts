/**
 * The flows and priority levels that a server makes by itself: two of each must be as they are here, the others are
 * a start. Names and numbers are upstream's.
 */

import type {
  FlowSchemaSpec,
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  PriorityLevelConfigurationSpec,
  ResourcePolicyRule,
  Subject,
} from './types.gen.ts'

/** Objects with this annotation are brought back to what is written here, as long as it says `true`. */
export const AUTO_UPDATE_ANNOTATION = 'apf.kubernetes.io/autoupdate-spec'

const EVERY_RESOURCE: ResourcePolicyRule = {
  verbs: ['*'],
  apiGroups: ['*'],
  resources: ['*'],
  clusterScope: true,
  namespaces: ['*'],
}
const EVERY_PATH: NonResourcePolicyRule = { verbs: ['*'], nonResourceURLs: ['*'] }
const LEASES = { apiGroups: ['coordination.k8s.io'], resources: ['leases'], namespaces: ['*'] }

const group = (name: string): Subject => ({ kind: 'Group', group: { name } })
const user = (name: string): Subject => ({ kind: 'User', user: { name } })
const SYSTEM_ACCOUNTS: Subject = {
  kind: 'ServiceAccount',
  serviceAccount: { namespace: 'kube-system', name: '*' },
}
const EVERYBODY = [group('system:unauthenticated'), group('system:authenticated')]

const everythingOf = (subjects: readonly Subject[]): readonly PolicyRulesWithSubjects[] => [
  { subjects, resourceRules: [EVERY_RESOURCE], nonResourceRules: [EVERY_PATH] },
]

/** `by` is what tells the flows of a schema apart; without it, they are one. */
function flow(
  level: string,
  matchingPrecedence: number,
  by: 'ByUser' | 'ByNamespace' | undefined,
  rules: readonly PolicyRulesWithSubjects[],
): FlowSchemaSpec {
  const distinguisher = by === undefined ? {} : { distinguisherMethod: { type: by } }
  return { priorityLevelConfiguration: { name: level }, matchingPrecedence, ...distinguisher, rules }
}

export const MANDATORY_FLOWS: Readonly<Record<string, FlowSchemaSpec>> = {
  exempt: flow('exempt', 1, undefined, everythingOf([group('system:masters')])),
  'catch-all': flow('catch-all', 10_000, 'ByUser', everythingOf(EVERYBODY)),
}

export const SUGGESTED_FLOWS: Readonly<Record<string, FlowSchemaSpec>> = {
  probes: flow('exempt', 2, undefined, [
    {
      subjects: EVERYBODY,
      nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/healthz', '/readyz', '/livez'] }],
    },
  ]),
  'system-leader-election': flow('leader-election', 100, 'ByUser', [
    {
      subjects: [user('system:kube-controller-manager'), user('system:kube-scheduler'), SYSTEM_ACCOUNTS],
      resourceRules: [{ verbs: ['get', 'create', 'update'], ...LEASES }],
    },
  ]),
  'system-node-high': flow('node-high', 400, 'ByUser', [
    {
      subjects: [group('system:nodes')],
      resourceRules: [
        { ...EVERY_RESOURCE, apiGroups: [''], resources: ['nodes', 'nodes/status'] },
        { verbs: ['*'], ...LEASES },
      ],
    },
  ]),
  'system-nodes': flow('system', 500, 'ByUser', everythingOf([group('system:nodes')])),
  'kube-controller-manager': flow(
    'workload-high',
    800,
    'ByNamespace',
    everythingOf([user('system:kube-controller-manager')]),
  ),
  'kube-scheduler': flow('workload-high', 800, 'ByNamespace', everythingOf([user('system:kube-scheduler')])),
  'kube-system-service-accounts': flow('workload-high', 900, 'ByNamespace', everythingOf([SYSTEM_ACCOUNTS])),
  'service-accounts': flow('workload-low', 9000, 'ByUser', everythingOf([group('system:serviceaccounts')])),
  'global-default': flow('global-default', 9900, 'ByUser', everythingOf(EVERYBODY)),
}

const QUEUE_LENGTH = 50

function queued(
  nominalConcurrencyShares: number,
  lendablePercent: number,
  queues: number,
  handSize: number,
): PriorityLevelConfigurationSpec {
  const queuing = { queues, handSize, queueLengthLimit: QUEUE_LENGTH }
  const limitResponse = { type: 'Queue', queuing }
  return { type: 'Limited', limited: { nominalConcurrencyShares, limitResponse, lendablePercent } }
}

export const MANDATORY_LEVELS: Readonly<Record<string, PriorityLevelConfigurationSpec>> = {
  exempt: { type: 'Exempt', exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } },
  'catch-all': {
    type: 'Limited',
    limited: { nominalConcurrencyShares: 5, limitResponse: { type: 'Reject' }, lendablePercent: 0 },
  },
}

export const SUGGESTED_LEVELS: Readonly<Record<string, PriorityLevelConfigurationSpec>> = {
  system: queued(30, 33, 64, 6),
  'node-high': queued(40, 25, 64, 6),
  'leader-election': queued(10, 0, 16, 4),
  'workload-high': queued(40, 50, 128, 6),
  'workload-low': queued(100, 90, 128, 6),
  'global-default': queued(20, 50, 128, 6),
}
