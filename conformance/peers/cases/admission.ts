/** What the cluster's policy says: limits, quotas, pod security, classes, accounts. */

import { caseOf, get, MERGE_PATCH, patch, post, put, STRATEGIC_PATCH, type Step, type Theme } from '../case.ts'
import { ACCOUNTS, configMap, DEPLOYMENTS, deployment, MAPS, PODS, pod, SECRETS, SERVICES, service } from './objects.ts'

const at = (resource: string, group = '/api/v1') => `${group}/namespaces/{ns}/${resource}`
const CLAIMS = at('persistentvolumeclaims')
const QUOTAS = at('resourcequotas')
const RANGES = at('limitranges')
const NAMESPACE = '/api/v1/namespaces/{ns}'

/** Upstream's plugins look at caches: a few requests are time enough for them to see the last write. */
const settle: readonly Step[] = Array.from({ length: 12 }, () => get(NAMESPACE, { compare: 'status' }))

const range = (...limits: readonly object[]): readonly Step[] => [
  post(RANGES, { metadata: { name: 'limits' }, spec: { limits } }),
  ...settle,
]
const sized = (name: string, requests: object, limits: object = {}, spec: object = {}) =>
  pod(name, { containers: [{ name: 'app', image: 'a', resources: { requests, limits } }], ...spec })
const claim = (name: string, storage: string, spec: object = {}) => ({
  metadata: { name },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } }, ...spec },
})

const limits: Theme['cases'] = [
  caseOf(
    'limit range gives defaults',
    ...range({
      type: 'Container',
      default: { cpu: '500m', memory: '1Gi' },
      defaultRequest: { cpu: '100m' },
      max: { 'ephemeral-storage': '1Gi' },
    }),
    post(PODS, pod('a')),
    post(PODS, sized('b', { cpu: '200m' })),
    post(PODS, pod('c', { initContainers: [{ name: 'first', image: 'a' }] })),
  ),
  caseOf(
    'limit range of containers',
    ...range({ type: 'Container', min: { cpu: '100m' }, max: { cpu: '1' }, maxLimitRequestRatio: { cpu: '2' } }),
    post(PODS, sized('a', { cpu: '50m' }, { cpu: '100m' })),
    post(PODS, sized('b', { cpu: '1' }, { cpu: '2' })),
    post(PODS, sized('c', { cpu: '100m' }, { cpu: '500m' })),
    post(PODS, sized('d', { cpu: '600m' }, { cpu: '1' })),
  ),
  caseOf(
    'limit range of pods',
    ...range({ type: 'Pod', max: { memory: '1Gi' } }),
    post(PODS, pod('a')),
    post(PODS, sized('b', { memory: '2Gi' }, { memory: '2Gi' })),
    post(PODS, sized('c', {}, { memory: '1Gi' })),
  ),
  caseOf(
    'limit range of claims',
    ...range({ type: 'PersistentVolumeClaim', min: { storage: '2Gi' }, max: { storage: '5Gi' } }),
    post(CLAIMS, claim('a', '1Gi')),
    post(CLAIMS, claim('b', '6Gi')),
    post(CLAIMS, claim('c', '3Gi')),
  ),
]

/** No controller counts: the status is what the case writes. */
const quota = (hard: object, used: object, spec: object = {}, name = 'team'): readonly Step[] => [
  post(QUOTAS, { metadata: { name }, spec: { hard, ...spec } }),
  patch(MERGE_PATCH, `${QUOTAS}/${name}/status`, { status: { hard, used } }, { compare: 'status' }),
  ...settle,
]
const used = get(`${QUOTAS}/team`)

const quotas: Theme['cases'] = [
  caseOf(
    'quota of pods',
    ...quota({ pods: '1' }, { pods: '0' }),
    post(PODS, pod('a')),
    ...settle,
    used,
    post(PODS, pod('b')),
  ),
  caseOf(
    'quota of compute resources',
    ...quota({ 'requests.cpu': '1', 'limits.memory': '1Gi' }, { 'requests.cpu': '600m', 'limits.memory': '0' }),
    post(PODS, pod('a')),
    post(PODS, sized('b', { cpu: '500m' }, { memory: '2Gi' })),
    post(PODS, sized('c', { cpu: '400m' }, { cpu: '1', memory: '512Mi' })),
    ...settle,
    used,
  ),
  caseOf(
    'quota that is not counted',
    ...quota({ pods: '1', cpu: '1' }, { pods: '0' }),
    post(PODS, sized('a', { cpu: '1' })),
  ),
  caseOf(
    'quota of extended resources',
    ...quota({ 'requests.example.com/gpu': '1' }, { 'requests.example.com/gpu': '0' }),
    post(PODS, sized('a', { 'example.com/gpu': '2' }, { 'example.com/gpu': '2' })),
    post(PODS, sized('b', { 'example.com/gpu': '1' }, { 'example.com/gpu': '1' })),
    ...settle,
    used,
  ),
  caseOf(
    'quota of objects',
    ...quota({ configmaps: '1', 'count/deployments.apps': '0' }, { configmaps: '0', 'count/deployments.apps': '0' }),
    post(MAPS, configMap('a')),
    ...settle,
    post(MAPS, configMap('b')),
    post(DEPLOYMENTS, deployment('a')),
  ),
  caseOf(
    'quota of services',
    ...quota({ services: '2', 'services.nodeports': '1' }, { services: '0', 'services.nodeports': '0' }),
    post(SERVICES, service('a', { type: 'NodePort' }), { compare: 'status' }),
    ...settle,
    post(SERVICES, service('b', { type: 'NodePort' })),
    post(SERVICES, service('c'), { compare: 'status' }),
    ...settle,
    patch(MERGE_PATCH, `${SERVICES}/c`, { spec: { type: 'NodePort' } }),
    used,
  ),
  caseOf(
    'quota of claims by class',
    ...quota(
      { 'requests.storage': '5Gi', 'gold.storageclass.storage.k8s.io/requests.storage': '1Gi' },
      { 'requests.storage': '0', 'gold.storageclass.storage.k8s.io/requests.storage': '0' },
    ),
    post(CLAIMS, claim('a', '2Gi', { storageClassName: 'gold' })),
    post(CLAIMS, claim('b', '2Gi', { storageClassName: 'silver' })),
    ...settle,
    post(CLAIMS, claim('c', '4Gi', { storageClassName: '' })),
    used,
  ),
  caseOf(
    'quota in a scope',
    ...quota({ pods: '0' }, { pods: '0' }, { scopes: ['Terminating'] }),
    post(PODS, pod('a')),
    post(PODS, pod('b', { activeDeadlineSeconds: 10 })),
  ),
  caseOf(
    'quota of best effort',
    ...quota({ pods: '0' }, { pods: '0' }, { scopes: ['BestEffort'] }),
    post(PODS, sized('a', { cpu: '1' })),
    post(PODS, pod('b')),
  ),
  caseOf(
    'quota of a priority class',
    ...quota(
      { pods: '0' },
      { pods: '0' },
      {
        scopeSelector: {
          matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: ['system-node-critical'] }],
        },
      },
    ),
    post(PODS, pod('a')),
    post(PODS, pod('b', { priorityClassName: 'system-node-critical' })),
  ),
  caseOf('quota and a dry run', ...quota({ pods: '0' }, { pods: '0' }), post(`${PODS}?dryRun=All`, pod('a')), used),
  caseOf(
    'quota and two limits at once',
    ...quota({ pods: '1', secrets: '0' }, { pods: '1', secrets: '0' }),
    ...quota({ pods: '1' }, { pods: '1' }, {}, 'other'),
    post(SECRETS, { metadata: { name: 'a' } }),
  ),
]

const labelled = (labels: object): readonly Step[] => [
  patch(MERGE_PATCH, NAMESPACE, {
    metadata: {
      labels: Object.fromEntries(
        Object.entries(labels).map(([name, value]) => [`pod-security.kubernetes.io/${name}`, value]),
      ),
    },
  }),
  ...settle,
]
const insecure = {
  hostNetwork: true,
  securityContext: { runAsUser: 0, sysctls: [{ name: 'kernel.msgmax', value: '1' }], seLinuxOptions: { user: 'me' } },
  volumes: [{ name: 'host', hostPath: { path: '/' } }],
  containers: [
    {
      name: 'app',
      image: 'a',
      ports: [{ containerPort: 80, hostPort: 80 }],
      securityContext: {
        privileged: true,
        capabilities: { add: ['NET_ADMIN'] },
        seccompProfile: { type: 'Unconfined' },
        appArmorProfile: { type: 'Unconfined' },
      },
    },
    { name: 'side', image: 'a', livenessProbe: { tcpSocket: { port: 1, host: 'elsewhere' } } },
  ],
}

const podSecurity: Theme['cases'] = [
  caseOf('restricted', ...labelled({ enforce: 'restricted' }), post(PODS, pod('a')), post(PODS, pod('b', insecure))),
  caseOf('baseline', ...labelled({ enforce: 'baseline' }), post(PODS, pod('a')), post(PODS, pod('b', insecure))),
  caseOf(
    'restricted of an old version',
    ...labelled({ enforce: 'restricted', 'enforce-version': 'v1.18' }),
    post(PODS, pod('a')),
  ),
  caseOf(
    'warnings of what is not enforced',
    ...labelled({ warn: 'restricted', audit: 'baseline' }),
    post(PODS, pod('a')),
    post(DEPLOYMENTS, deployment('a')),
    post(at('cronjobs', '/apis/batch/v1'), {
      metadata: { name: 'a' },
      spec: {
        schedule: '* * * * *',
        jobTemplate: {
          spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'app', image: 'a' }] } } },
        },
      },
    }),
  ),
  caseOf('labels of no sense', ...labelled({ enforce: 'high', 'warn-version': '1.2' })),
  caseOf(
    'a stricter level and the pods that are there',
    post(PODS, pod('a', { hostPID: true })),
    post(PODS, pod('b', { hostPID: true })),
    ...settle,
    ...labelled({ enforce: 'baseline' }),
  ),
  caseOf(
    'an image that changes',
    post(PODS, pod('a', { hostPID: true })),
    ...settle,
    ...labelled({ enforce: 'baseline' }),
    patch(MERGE_PATCH, `${PODS}/a`, { metadata: { labels: { more: 'yes' } } }),
    patch(STRATEGIC_PATCH, `${PODS}/a`, { spec: { containers: [{ name: 'app', image: 'b' }] } }),
  ),
]

const RUNTIMES = '/apis/node.k8s.io/v1/runtimeclasses'
const STORAGES = '/apis/storage.k8s.io/v1/storageclasses'

const classes: Theme['cases'] = [
  caseOf(
    'a runtime class that is not there',
    post(PODS, pod('a', { runtimeClassName: 'nowhere' })),
    post(`${PODS}?dryRun=All`, pod('a', { runtimeClassName: 'nowhere' })),
  ),
  caseOf(
    'a runtime class with overhead and a place',
    post(RUNTIMES, {
      metadata: { name: 'vm-{ns}' },
      handler: 'vm',
      overhead: { podFixed: { cpu: '250m' } },
      scheduling: { nodeSelector: { vm: 'yes' }, tolerations: [{ key: 'vm', operator: 'Exists' }] },
    }),
    ...settle,
    post(PODS, pod('a', { runtimeClassName: 'vm-{ns}' })),
    post(PODS, pod('b', { runtimeClassName: 'vm-{ns}', overhead: { cpu: '1' } })),
    post(PODS, pod('c', { runtimeClassName: 'vm-{ns}', nodeSelector: { vm: 'no' } })),
    post(PODS, pod('d', { overhead: { cpu: '1' } })),
    post(PODS, pod('f', { runtimeClassName: 'vm-{ns}', overhead: {} })),
  ),
  caseOf(
    'a claim that grows',
    post(STORAGES, { metadata: { name: 'fixed-{ns}' }, provisioner: 'example.com/a' }),
    post(STORAGES, { metadata: { name: 'growing-{ns}' }, provisioner: 'example.com/a', allowVolumeExpansion: true }),
    ...settle,
    ...['fixed', 'growing'].flatMap((name) => [
      post(CLAIMS, claim(name, '1Gi', { storageClassName: `${name}-{ns}` })),
      patch(MERGE_PATCH, `${CLAIMS}/${name}`, { spec: { resources: { requests: { storage: '2Gi' } } } }),
      patch(MERGE_PATCH, `${CLAIMS}/${name}/status`, { status: { phase: 'Bound', capacity: { storage: '1Gi' } } }),
      patch(MERGE_PATCH, `${CLAIMS}/${name}`, { spec: { resources: { requests: { storage: '2Gi' } } } }),
    ]),
  ),
  caseOf(
    'finalizers of volumes and classes of attributes',
    post('/api/v1/persistentvolumes', {
      metadata: { name: 'volume-{ns}' },
      spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/data' } },
    }),
    post('/apis/storage.k8s.io/v1/volumeattributesclasses', {
      metadata: { name: 'attributes-{ns}' },
      driverName: 'example.com',
      parameters: { a: 'b' },
    }),
  ),
  caseOf(
    'labels of the zone of a node',
    post('/api/v1/nodes', {
      metadata: { name: 'zone-{ns}', labels: { 'topology.kubernetes.io/zone': 'a', other: 'b' } },
    }),
    ...settle,
    post(PODS, pod('a')),
    post(`${PODS}/a/binding`, { metadata: { name: 'a' }, target: { kind: 'Node', name: 'zone-{ns}' } }),
    get(`${PODS}/a`),
    post(PODS, pod('b', { nodeName: 'zone-{ns}' })),
  ),
  caseOf(
    'a resize beyond the node',
    post('/api/v1/nodes', { metadata: { name: 'small-{ns}' } }),
    patch(MERGE_PATCH, '/api/v1/nodes/small-{ns}/status', { status: { allocatable: { cpu: '1', memory: '1Gi' } } }),
    ...settle,
    post(PODS, sized('a', { cpu: '500m' }, {}, { nodeName: 'small-{ns}' })),
    patch(STRATEGIC_PATCH, `${PODS}/a/resize`, {
      spec: { containers: [{ name: 'app', resources: { requests: { cpu: '2' } } }] },
    }),
  ),
]

const accounts: Theme['cases'] = [
  caseOf('an account that is not there', post(PODS, pod('a', { serviceAccountName: 'absent' }))),
  caseOf(
    'an account that limits secrets',
    post(ACCOUNTS, {
      metadata: { name: 'careful', annotations: { 'kubernetes.io/enforce-mountable-secrets': 'true' } },
      secrets: [{ name: 'own' }],
    }),
    ...settle,
    post(PODS, pod('a', { serviceAccountName: 'careful', volumes: [{ name: 'v', secret: { secretName: 'other' } }] })),
    post(
      PODS,
      pod('b', {
        serviceAccountName: 'careful',
        containers: [{ name: 'app', image: 'a', envFrom: [{ secretRef: { name: 'other' } }] }],
      }),
    ),
    post(PODS, pod('c', { serviceAccountName: 'careful', imagePullSecrets: [{ name: 'pull' }] })),
  ),
  caseOf('a priority class that is not there', post(PODS, pod('a', { priorityClassName: 'absent' }))),
  caseOf('a priority of its own', post(PODS, pod('a', { priority: 5 }))),
  caseOf(
    'a pod that is replaced without its priority',
    post(PODS, pod('a', { priorityClassName: 'system-node-critical' })),
    patch(MERGE_PATCH, `${PODS}/a`, { spec: { priority: null, preemptionPolicy: null } }),
    patch(MERGE_PATCH, `${PODS}/a`, { spec: { priority: null, preemptionPolicy: 'Never' } }),
  ),
  caseOf('into a namespace that is not there', post('/api/v1/namespaces/absent-{ns}/configmaps', configMap('a'))),
  caseOf(
    'a quota that changes',
    post(QUOTAS, { metadata: { name: 'team' }, spec: { hard: { pods: '1' } } }),
    put(`${QUOTAS}/team`, { metadata: { name: 'team' }, spec: { hard: { pods: '2', cpu: '1' } } }),
  ),
]

export const admission: Theme = {
  theme: 'admission',
  cases: [...limits, ...quotas, ...podSecurity, ...classes, ...accounts],
}
