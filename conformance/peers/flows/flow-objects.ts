/** Flow schemas and levels of one's own, beside those that servers have: one of each way a rule can be put. */

const LEVEL = 'flows-level'

export const FLOW_LEVELS = [
  { name: LEVEL, spec: limited({ type: 'Reject' }) },
  {
    name: 'flows-queued',
    spec: limited({ type: 'Queue', queuing: { queues: 8, handSize: 2, queueLengthLimit: 10 } }),
  },
]

function limited(limitResponse: object) {
  const limits = { nominalConcurrencyShares: 20, lendablePercent: 30, borrowingLimitPercent: 50 }
  return { type: 'Limited', limited: { ...limits, limitResponse } }
}

const user = (name: string) => ({ kind: 'User', user: { name } })
const group = (name: string) => ({ kind: 'Group', group: { name } })
const account = (namespace: string, name: string) => ({ kind: 'ServiceAccount', serviceAccount: { namespace, name } })
const resources = (names: readonly string[], more: object = {}) => ({
  resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: names, namespaces: ['*'], ...more }],
})
const paths = (...nonResourceURLs: readonly string[]) => ({ nonResourceRules: [{ verbs: ['get'], nonResourceURLs }] })

export const FLOW_SCHEMAS = [
  schema('flows-tie-b', 1_000, [user('tie')], resources(['*'])),
  schema('flows-tie-a', 1_000, [user('tie')], resources(['*'])),
  schema('flows-tie-earlier', 999, [user('tie')], resources(['secrets'])),
  schema('flows-everybody', 5_000, [user('*')], resources(['endpoints'])),
  schema('flows-every-group', 5_001, [group('*')], resources(['services'])),
  schema('flows-subresource', 2_000, [user('jane')], resources(['pods/status'])),
  schema('flows-one-namespace', 2_001, [user('jane')], resources(['pods'], { namespaces: ['flows-a'] })),
  schema('flows-cluster', 2_002, [user('jane')], resources(['nodes'], { namespaces: [], clusterScope: true })),
  schema('flows-verbs', 2_003, [user('jane')], resources(['configmaps'], { verbs: ['list', 'watch'] })),
  schema('flows-group', 2_004, [user('jane')], resources(['leases'], { apiGroups: ['coordination.k8s.io'] })),
  schema('flows-paths', 2_005, [user('jane')], paths('/version', '/openapi/*')),
  schema('flows-account', 2_006, [account('flows-a', 'bot')], resources(['*'], { clusterScope: true })),
  schema('flows-accounts', 2_007, [account('flows-b', '*')], resources(['*'])),
  schema('flows-nowhere', 2, [user('jane')], resources(['secrets']), 'flows-absent'),
]

function schema(name: string, matchingPrecedence: number, subjects: readonly object[], rule: object, level = LEVEL) {
  const spec = { priorityLevelConfiguration: { name: level }, matchingPrecedence, rules: [{ subjects, ...rule }] }
  return { name, spec }
}
