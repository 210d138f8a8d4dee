/**
 * A short session of everything that audit events have parts for, and the policy under which both servers log it. Each
 * step is a request whose id both servers take over, by which its events are found.
 */

import {
  APPLY_PATCH,
  accept,
  get,
  JSON_PATCH,
  MERGE_PATCH,
  METADATA,
  patch,
  post,
  put,
  remove,
  STRATEGIC_PATCH,
  type Step,
  TABLE,
} from '../case.ts'

/** Only what is done here is logged. */
const NAMESPACE = 'audited'

export const POLICY = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  rules: [
    { level: 'None', verbs: ['create'], resources: [{ group: '', resources: ['serviceaccounts'] }] },
    { level: 'Metadata', namespaces: [NAMESPACE], resources: [{ group: '', resources: ['secrets'] }] },
    { level: 'Request', namespaces: [NAMESPACE], verbs: ['deletecollection'], omitStages: ['RequestReceived'] },
    {
      level: 'RequestResponse',
      namespaces: [NAMESPACE],
      resources: [{ group: '', resources: ['pods', 'pods/*'] }],
      omitManagedFields: true,
    },
    { level: 'RequestResponse', namespaces: [NAMESPACE] },
    { level: 'RequestResponse', resources: [{ group: '', resources: ['namespaces'], resourceNames: [NAMESPACE] }] },
    { level: 'RequestResponse', nonResourceURLs: ['/apis/apps', '/apis/apps/*', '/livez', '/nothing'] },
  ],
}

export interface AuditedStep {
  /** What is found out. */
  readonly name: string
  readonly step: Step
}

const core = `/api/v1/namespaces/${NAMESPACE}`
const apps = `/apis/apps/v1/namespaces/${NAMESPACE}`
const named = (name: string, more: object = {}) => ({ metadata: { name }, ...more })
const yaml = (name: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  a: b\n`
const as = (headers: Readonly<Record<string, string>>) => ({ headers })

const AUDITED = { 'pod-security.kubernetes.io/audit': 'restricted', 'pod-security.kubernetes.io/warn': 'privileged' }
const container = { name: 'c', image: 'i' }
const deployment = {
  selector: { matchLabels: { a: 'b' } },
  template: { metadata: { labels: { a: 'b' } }, spec: { containers: [container] } },
}

const steps: readonly (readonly [string, Step])[] = [
  ['labels of a namespace', patch(MERGE_PATCH, core, { metadata: { labels: AUDITED } })],
  ['an object', post(`${core}/configmaps`, named('one', { data: { a: 'b' } }))],
  ['an object without a name', post(`${core}/configmaps`, { metadata: { generateName: 'gen-' } })],
  ['an object in YAML', post(`${core}/configmaps`, yaml('yaml'), as({ 'content-type': 'application/yaml' }))],
  ['an object that is there', post(`${core}/configmaps`, named('one'))],
  ['an object with a bad name', post(`${core}/configmaps`, named('UPPER'))],
  ['no object', post(`${core}/configmaps`, '{not json')],
  ['a field of another type', post(`${core}/configmaps`, named('two', { data: { a: 1 } }))],
  ['an unknown field', post(`${core}/configmaps?fieldValidation=Strict`, named('two', { foo: 1 }))],
  ['a dry run', post(`${core}/configmaps?dryRun=All`, named('two'))],
  ['an object beyond the limit', post(`${core}/configmaps`, named('big', { data: { a: 'x'.repeat(3_200_000) } }))],
  ['an object with defaults', post(`${apps}/deployments`, named('d', { spec: deployment }))],
  ['a pod that violates', post(`${core}/pods`, named('p', { spec: { containers: [container] } }))],
  ['a JSON patch', patch(JSON_PATCH, `${core}/configmaps/one`, [{ op: 'add', path: '/data/x', value: 'y' }])],
  ['a merge patch', patch(MERGE_PATCH, `${core}/configmaps/one`, { data: { z: 'z' } })],
  ['a strategic patch', patch(STRATEGIC_PATCH, `${core}/configmaps/one`, { data: { s: 's' } })],
  ['a patch of nothing', patch(MERGE_PATCH, `${core}/configmaps/none`, { data: { z: 'z' } })],
  ['a patch of no type', patch('application/nonsense', `${core}/configmaps/one`, 'x')],
  ['an apply', patch(APPLY_PATCH, `${core}/configmaps/applied?fieldManager=me`, yaml('applied'))],
  ['an update', put(`${core}/configmaps/one`, named('one', { data: { put: '1' } }))],
  ['an update of nothing', put(`${core}/configmaps/none`, named('none'))],
  ['a read', get(`${core}/configmaps/one`)],
  ['a read in YAML', get(`${core}/configmaps/one`, accept('application/yaml'))],
  ['a read in protobuf', get(`${core}/configmaps/one`, accept('application/vnd.kubernetes.protobuf'))],
  ['a read as a table', get(`${core}/configmaps/one`, accept(TABLE))],
  ['a read of metadata', get(`${core}/configmaps/one`, accept(METADATA))],
  ['a readable read', get(`${core}/configmaps/one?pretty=true`)],
  ['a read of nothing', get(`${core}/configmaps/none`)],
  ['a page', get(`${core}/configmaps?limit=1`)],
  ['a list of one name', get(`${core}/configmaps?fieldSelector=metadata.name%3Done`)],
  ['a list of pods', get(`${core}/pods`)],
  ['a watch', get(`${core}/configmaps?watch=1&timeoutSeconds=1`)],
  ['a watch that is refused', get(`${core}/configmaps?watch=1&fieldSelector=nonsense%3D1`)],
  ['a method without a body', { send: `HEAD ${core}/configmaps/one` }],
  ['a scale', put(`${apps}/deployments/d/scale`, named('d', { spec: { replicas: 2 } }))],
  ['a status', patch(MERGE_PATCH, `${core}/pods/p/status`, { status: { reason: 'Nothing' } })],
  ['a log of nothing', get(`${core}/pods/none/log`)],
  ['a proxy to nothing', get(`${core}/services/none/proxy/x?y=z`)],
  [
    'a review of rights',
    post(`/apis/authorization.k8s.io/v1/namespaces/${NAMESPACE}/localsubjectaccessreviews`, {
      metadata: { namespace: NAMESPACE },
      spec: { user: 'jane', resourceAttributes: { namespace: NAMESPACE, verb: 'get', resource: 'pods' } },
    }),
  ],
  ['a token', post(`${core}/serviceaccounts/default/token`, { spec: { expirationSeconds: 600 } })],
  ['a secret', post(`${core}/secrets`, named('s', { stringData: { password: 'x' } }))],
  ['a deprecated resource', get(`${core}/endpoints`)],
  ['an eviction', post(`${core}/pods/p/eviction`, named('p'))],
  ['a token that is none', get(`${core}/configmaps`, { ...as({ authorization: 'Bearer abc' }), anonymous: true })],
  ['a bad timeout', get(`${core}/configmaps?timeout=bad`)],
  ['somebody else', get(`${core}/configmaps`, as({ 'impersonate-user': 'jane', 'impersonate-group': 'devs' }))],
  [
    'somebody else with a uid',
    get(`${core}/configmaps`, as({ 'impersonate-user': 'jane', 'impersonate-uid': '7', 'impersonate-extra-a': 'b' })),
  ],
  ['somebody without a name', get(`${core}/configmaps`, as({ 'impersonate-group': 'devs' }))],
  [
    'addresses of proxies',
    get(`${core}/configmaps`, as({ 'x-forwarded-for': '1.2.3.4, nonsense, 5.6.7.8', 'x-real-ip': '9.9.9.9' })),
  ],
  [
    'a deletion with options',
    remove(`${core}/configmaps/one`, { kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy: 'Background' }),
  ],
  ['a deletion without', remove(`${core}/configmaps/yaml`)],
  ['a deletion of a collection', remove(`${core}/configmaps`)],
  ['a deletion of a pod', remove(`${core}/pods/p?gracePeriodSeconds=0`)],
  ['health', get('/livez')],
  ['a group', get('/apis/apps')],
  ['no path', get('/nothing')],
  ['an unknown resource', get(`${core}/nothing`)],
]

export const SESSION: readonly AuditedStep[] = steps.map(([name, step]) => ({ name, step }))
export const SESSION_NAMESPACE = NAMESPACE
