/** Subresources, reviews, and methods that a path does not have. */

import { caseOf, get, MERGE_PATCH, patch, post, put, remove, type Step, type Theme } from '../case.ts'
import { ACCOUNTS, configMap, DEPLOYMENTS, deployment, MAPS, PODS, pod, SERVICES, service } from './objects.ts'

const deployed = post(DEPLOYMENTS, deployment('a'))
const scale = (replicas: unknown, metadata: object = { name: 'a', namespace: '{ns}' }) => ({
  apiVersion: 'autoscaling/v1',
  kind: 'Scale',
  metadata,
  spec: { replicas },
})
const binding = (target: object, name = 'a') => ({ apiVersion: 'v1', kind: 'Binding', metadata: { name }, target })
const node = { apiVersion: 'v1', kind: 'Node', name: 'node-1' }
const bindingAs = (metadata: object) => ({ ...binding(node), metadata: { name: 'a', ...metadata } })
const token = (spec: object) => ({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec })
const send = (method: string, url: string): Step => ({ send: `${method} ${url}` })
const CSRS = '/apis/certificates.k8s.io/v1/certificatesigningrequests'

export const subresources: Theme = {
  theme: 'subresource',
  cases: [
    caseOf('scale, read', deployed, get(`${DEPLOYMENTS}/a/scale`)),
    caseOf('scale, written', deployed, put(`${DEPLOYMENTS}/a/scale`, scale(5)), get(`${DEPLOYMENTS}/a`)),
    caseOf('scale below zero', deployed, put(`${DEPLOYMENTS}/a/scale`, scale(-1))),
    caseOf(
      'scale of another name',
      deployed,
      put(`${DEPLOYMENTS}/a/scale`, scale(1, { name: 'b', namespace: '{ns}' })),
    ),
    caseOf(
      'scale with an old version',
      deployed,
      put(`${DEPLOYMENTS}/a/scale`, scale(1, { name: 'a', namespace: '{ns}', resourceVersion: '1' })),
    ),
    caseOf('scale of a wrong kind', deployed, put(`${DEPLOYMENTS}/a/scale`, deployment('a'))),
    caseOf(
      'scale of what is not there',
      get(`${DEPLOYMENTS}/absent/scale`),
      put(`${DEPLOYMENTS}/absent/scale`, scale(1, { name: 'absent', namespace: '{ns}' })),
    ),
    caseOf('scale of what has none', post(MAPS, configMap('a')), get(`${MAPS}/a/scale`)),
    caseOf('status, read', deployed, get(`${DEPLOYMENTS}/a/status`)),
    caseOf(
      'status of a pod',
      post(PODS, pod('a')),
      patch(MERGE_PATCH, `${PODS}/a/status`, {
        status: { phase: 'Running', podIP: '10.0.0.1', podIPs: [{ ip: '10.0.0.1' }] },
      }),
    ),
    caseOf(
      'status of a pod that is invalid',
      post(PODS, pod('a')),
      patch(MERGE_PATCH, `${PODS}/a/status`, { status: { phase: 'Dancing', podIPs: [{ ip: 'x' }] } }),
    ),
    caseOf(
      'status of a namespace',
      patch(MERGE_PATCH, '/api/v1/namespaces/{ns}/status', { status: { phase: 'Terminating' } }),
    ),
    caseOf(
      'finalize of a namespace',
      put('/api/v1/namespaces/{ns}/finalize', { metadata: { name: '{ns}' }, spec: { finalizers: ['example.com/a'] } }),
    ),
    caseOf(
      'finalize of a namespace, invalid',
      put('/api/v1/namespaces/{ns}/finalize', { metadata: { name: '{ns}' }, spec: { finalizers: ['a b'] } }),
    ),
    caseOf(
      'status of a node',
      post('/api/v1/nodes', { metadata: { name: 'status' } }),
      patch(MERGE_PATCH, '/api/v1/nodes/status/status', {
        status: { conditions: [{ type: 'Ready', status: 'True' }], capacity: { cpu: '4' } },
      }),
    ),
    caseOf(
      'status of a claim',
      post('/api/v1/namespaces/{ns}/persistentvolumeclaims', {
        metadata: { name: 'a' },
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
      }),
      patch(MERGE_PATCH, '/api/v1/namespaces/{ns}/persistentvolumeclaims/a/status', { status: { phase: 'Bound' } }),
    ),
    caseOf('binding', post(PODS, pod('a')), post(`${PODS}/a/binding`, binding(node)), get(`${PODS}/a`)),
    caseOf(
      'binding by its own resource',
      post(PODS, pod('a')),
      post('/api/v1/namespaces/{ns}/bindings', binding(node)),
    ),
    caseOf(
      'binding twice',
      post(PODS, pod('a')),
      post(`${PODS}/a/binding`, binding(node)),
      post(`${PODS}/a/binding`, binding(node)),
    ),
    caseOf(
      'binding of another uid',
      post(PODS, pod('a')),
      post(`${PODS}/a/binding`, bindingAs({ uid: '11111111-1111-1111-1111-111111111111' })),
    ),
    caseOf(
      'binding by its uid',
      { ...post(PODS, pod('a')), save: { uid: 'metadata.uid' } },
      post(`${PODS}/a/binding`, bindingAs({ uid: '{uid}' })),
    ),
    caseOf(
      'binding with annotations, after conditions and a nomination',
      post(PODS, pod('a')),
      patch(MERGE_PATCH, `${PODS}/a/status`, {
        status: {
          conditions: [
            { type: 'PodScheduled', status: 'False', reason: 'Unschedulable' },
            { type: 'Mine', status: 'True' },
          ],
          nominatedNodeName: 'node-2',
        },
      }),
      post(`${PODS}/a/binding`, bindingAs({ annotations: { by: 'me' } })),
      get(`${PODS}/a`),
    ),
    caseOf('binding to nothing', post(PODS, pod('a')), post(`${PODS}/a/binding`, binding({ name: '' }))),
    caseOf('binding to no node', post(PODS, pod('a')), post(`${PODS}/a/binding`, binding({ kind: 'Pod', name: 'x' }))),
    caseOf('binding of another name', post(PODS, pod('a')), post(`${PODS}/a/binding`, binding(node, 'b'))),
    caseOf('binding of what is not there', post(`${PODS}/absent/binding`, binding(node, 'absent'))),
    caseOf(
      'eviction',
      post(PODS, pod('a')),
      post(`${PODS}/a/eviction`, { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'a' } }),
      get(`${PODS}/a`),
    ),
    caseOf(
      'eviction of another name',
      post(PODS, pod('a')),
      post(`${PODS}/a/eviction`, { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'b' } }),
    ),
    caseOf(
      'eviction of what is not there',
      post(`${PODS}/absent/eviction`, { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'absent' } }),
    ),
    caseOf(
      'eviction, dry',
      post(PODS, pod('a')),
      post(`${PODS}/a/eviction?dryRun=All`, { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'a' } }),
      get(`${PODS}/a`),
    ),
    caseOf(
      'eviction of an old version',
      post(PODS, pod('a')),
      post(`${PODS}/a/eviction`, { apiVersion: 'policy/v1beta1', kind: 'Eviction', metadata: { name: 'a' } }),
    ),
    caseOf(
      'ephemeral containers',
      post(PODS, pod('a')),
      patch(MERGE_PATCH, `${PODS}/a/ephemeralcontainers`, {
        spec: { ephemeralContainers: [{ name: 'debug', image: 'busybox', targetContainerName: 'app' }] },
      }),
    ),
    caseOf(
      'ephemeral containers of a taken name',
      post(PODS, pod('a')),
      patch(MERGE_PATCH, `${PODS}/a/ephemeralcontainers`, {
        spec: { ephemeralContainers: [{ name: 'app', image: 'busybox' }] },
      }),
    ),
    caseOf(
      'ephemeral containers with ports',
      post(PODS, pod('a')),
      patch(MERGE_PATCH, `${PODS}/a/ephemeralcontainers`, {
        spec: {
          ephemeralContainers: [
            { name: 'b', image: 'busybox', ports: [{ containerPort: 1 }], resources: { limits: { cpu: '1' } } },
          ],
        },
      }),
    ),
    caseOf('ephemeral containers, read', post(PODS, pod('a')), get(`${PODS}/a/ephemeralcontainers`)),
    caseOf(
      'resize',
      post(PODS, pod('a', { containers: [{ name: 'app', image: 'a', resources: { requests: { cpu: '1' } } }] })),
      patch(MERGE_PATCH, `${PODS}/a/resize`, {
        spec: { containers: [{ name: 'app', image: 'a', resources: { requests: { cpu: '2' } } }] },
      }),
    ),
    caseOf(
      'resize of something else',
      post(PODS, pod('a')),
      patch(MERGE_PATCH, `${PODS}/a/resize`, { spec: { containers: [{ name: 'app', image: 'b' }] } }),
    ),
    caseOf('token', post(`${ACCOUNTS}/default/token`, token({ audiences: ['a'], expirationSeconds: 3600 }))),
    caseOf('token without a wish', post(`${ACCOUNTS}/default/token`, token({}))),
    caseOf('token that is too short', post(`${ACCOUNTS}/default/token`, token({ expirationSeconds: 60 }))),
    caseOf('token that is too long', post(`${ACCOUNTS}/default/token`, token({ expirationSeconds: 5_000_000_000 }))),
    caseOf('token of an account that is not there', post(`${ACCOUNTS}/absent/token`, token({}))),
    caseOf(
      'token bound to what is not there',
      post(`${ACCOUNTS}/default/token`, token({ boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'absent' } })),
    ),
    caseOf(
      'token bound to an unknown kind',
      post(`${ACCOUNTS}/default/token`, token({ boundObjectRef: { kind: 'ConfigMap', apiVersion: 'v1', name: 'a' } })),
    ),
    caseOf('log of a pod that runs nowhere', post(PODS, pod('a')), get(`${PODS}/a/log`)),
    caseOf('log of what is not there', get(`${PODS}/absent/log`)),
    caseOf('log of a container that is not there', post(PODS, pod('a')), get(`${PODS}/a/log?container=b`)),
    caseOf(
      'log with bad options',
      post(PODS, pod('a')),
      get(`${PODS}/a/log?tailLines=-1`),
      get(`${PODS}/a/log?sinceSeconds=0`),
      get(`${PODS}/a/log?limitBytes=0`),
    ),
    caseOf('exec of a pod that runs nowhere', post(PODS, pod('a')), post(`${PODS}/a/exec?command=ls`, '')),
    caseOf('exec without a command', post(PODS, pod('a')), post(`${PODS}/a/exec`, '')),
    caseOf('exec of what is not there', post(`${PODS}/absent/exec?command=ls`, '')),
    caseOf('port-forward to what is not there', post(`${PODS}/absent/portforward`, '')),
    caseOf(
      'proxy to what is not there',
      get(`${PODS}/absent/proxy/`),
      get(`${SERVICES}/absent/proxy/`),
      get('/api/v1/nodes/absent/proxy/'),
    ),
    caseOf('proxy to a service without endpoints', post(SERVICES, service('a')), get(`${SERVICES}/a/proxy/`)),
    caseOf(
      'approval',
      post(CSRS, {
        metadata: { name: 'approval' },
        spec: { signerName: 'example.com/a', usages: ['client auth'], request: 'bm90aGluZw==' },
      }),
      put(`${CSRS}/approval/approval`, { metadata: { name: 'approval' }, status: {} }),
    ),
  ],
}

export const methods: Theme = {
  theme: 'method',
  cases: [
    caseOf('that no path has', send('TRACE', MAPS), send('DANCE', MAPS)),
    caseOf('POST on an object', post(`${MAPS}/a`, configMap('a'))),
    caseOf('PUT on a list', put(MAPS, configMap('a'))),
    caseOf('PATCH on a list', patch(MERGE_PATCH, MAPS, {})),
    caseOf('HEAD on a list', { ...send('HEAD', MAPS), compare: 'status' }),
    caseOf('HEAD on an object', post(MAPS, configMap('a')), { ...send('HEAD', `${MAPS}/a`), compare: 'status' }),
    caseOf('HEAD on what is not there', { ...send('HEAD', `${MAPS}/absent`), compare: 'status' }),
    caseOf('OPTIONS on a list', send('OPTIONS', MAPS)),
    caseOf('GET on a review', get('/apis/authorization.k8s.io/v1/subjectaccessreviews')),
    caseOf('DELETE on a review', remove('/apis/authorization.k8s.io/v1/subjectaccessreviews')),
    caseOf('POST on a status', post(DEPLOYMENTS, deployment('a')), post(`${DEPLOYMENTS}/a/status`, deployment('a'))),
    caseOf('DELETE on a scale', post(DEPLOYMENTS, deployment('a')), remove(`${DEPLOYMENTS}/a/scale`)),
    caseOf('GET on a binding', post(PODS, pod('a')), get(`${PODS}/a/binding`)),
    caseOf('POST on a log', post(PODS, pod('a')), post(`${PODS}/a/log`, '')),
    caseOf('POST on discovery', post('/api', {}), post('/apis', {}), post('/apis/apps', {}), post('/apis/apps/v1', {})),
    caseOf('DELETE on discovery', remove('/api/v1')),
    caseOf('POST on the version', post('/version', {})),
    caseOf('POST without a namespace', post('/api/v1/configmaps', configMap('a'))),
    caseOf(
      'POST without a namespace, of a namespace that is named',
      post('/api/v1/configmaps', { ...configMap('a'), metadata: { name: 'a', namespace: '{ns}' } }),
    ),
    caseOf('PUT on component statuses', put('/api/v1/componentstatuses/a', {})),
  ],
}

const review = (kind: string, spec: object) => ({ apiVersion: 'authorization.k8s.io/v1', kind, spec })
const REVIEWS = '/apis/authorization.k8s.io/v1'
const subject = (spec: object) => post(`${REVIEWS}/subjectaccessreviews`, review('SubjectAccessReview', spec))
const pods = { verb: 'get', resource: 'pods', namespace: 'default' }

export const reviews: Theme = {
  theme: 'review',
  cases: [
    caseOf(
      'of oneself',
      post(`${REVIEWS}/selfsubjectaccessreviews`, review('SelfSubjectAccessReview', { resourceAttributes: pods })),
    ),
    caseOf(
      'of oneself, on nothing',
      post(`${REVIEWS}/selfsubjectaccessreviews`, review('SelfSubjectAccessReview', {})),
    ),
    caseOf(
      'of oneself, on both',
      post(
        `${REVIEWS}/selfsubjectaccessreviews`,
        review('SelfSubjectAccessReview', {
          resourceAttributes: pods,
          nonResourceAttributes: { path: '/', verb: 'get' },
        }),
      ),
    ),
    caseOf('of somebody', subject({ user: 'jane', resourceAttributes: pods })),
    caseOf('of a master', subject({ user: 'jane', groups: ['system:masters'], resourceAttributes: pods })),
    caseOf(
      'of a path',
      subject({
        user: 'jane',
        groups: ['system:authenticated'],
        // One role has it: of several upstream names any.
        nonResourceAttributes: { path: '/apis', verb: 'get' },
      }),
    ),
    caseOf('of nobody', subject({ resourceAttributes: pods })),
    caseOf('of nothing', subject({ user: 'jane' })),
    caseOf(
      'of both',
      subject({ user: 'jane', resourceAttributes: pods, nonResourceAttributes: { path: '/', verb: 'get' } }),
    ),
    caseOf(
      'with selectors',
      subject({
        user: 'jane',
        resourceAttributes: {
          ...pods,
          fieldSelector: { requirements: [{ key: 'a', operator: 'In', values: ['b'] }] },
          labelSelector: { rawSelector: 'a=b' },
        },
      }),
    ),
    caseOf(
      'with bad selectors',
      subject({
        user: 'jane',
        resourceAttributes: {
          ...pods,
          fieldSelector: { rawSelector: 'a', requirements: [{ key: '', operator: 'Maybe' }] },
          labelSelector: {},
        },
      }),
    ),
    caseOf(
      'with a name',
      post(`${REVIEWS}/subjectaccessreviews`, {
        ...review('SubjectAccessReview', { user: 'jane', resourceAttributes: pods }),
        metadata: { name: 'a' },
      }),
    ),
    caseOf(
      'in a namespace',
      post(
        `${REVIEWS}/namespaces/{ns}/localsubjectaccessreviews`,
        review('LocalSubjectAccessReview', { user: 'jane', resourceAttributes: { ...pods, namespace: '{ns}' } }),
      ),
    ),
    caseOf(
      'in another namespace',
      post(
        `${REVIEWS}/namespaces/{ns}/localsubjectaccessreviews`,
        review('LocalSubjectAccessReview', { user: 'jane', resourceAttributes: pods }),
      ),
    ),
    caseOf(
      'of rules',
      post(`${REVIEWS}/selfsubjectrulesreviews`, review('SelfSubjectRulesReview', { namespace: 'default' })),
    ),
    caseOf(
      'of rules without a namespace',
      post(`${REVIEWS}/selfsubjectrulesreviews`, review('SelfSubjectRulesReview', {})),
    ),
    caseOf(
      'of a token that is none',
      post('/apis/authentication.k8s.io/v1/tokenreviews', { spec: { token: 'nothing' } }),
    ),
    caseOf('of no token', post('/apis/authentication.k8s.io/v1/tokenreviews', { spec: {} })),
    caseOf(
      'of the token of an account',
      post(`${ACCOUNTS}/default/token`, token({}), { save: { token: 'status.token' } }),
      post('/apis/authentication.k8s.io/v1/tokenreviews', { spec: { token: '{token}' } }),
    ),
    caseOf(
      'of a token for others',
      post(`${ACCOUNTS}/default/token`, token({ audiences: ['a'] }), { save: { token: 'status.token' } }),
      post('/apis/authentication.k8s.io/v1/tokenreviews', { spec: { token: '{token}', audiences: ['b'] } }),
      post('/apis/authentication.k8s.io/v1/tokenreviews', { spec: { token: '{token}', audiences: ['a'] } }),
    ),
    caseOf('of who one is', post('/apis/authentication.k8s.io/v1/selfsubjectreviews', {})),
    caseOf('of a wrong type', post(`${REVIEWS}/subjectaccessreviews`, review('SubjectAccessReview', { user: 7 }))),
    caseOf(
      'dry',
      post(
        `${REVIEWS}/subjectaccessreviews?dryRun=All`,
        review('SubjectAccessReview', { user: 'jane', resourceAttributes: pods }),
      ),
    ),
  ],
}

const nobody = { anonymous: true }
const as = (user: string, groups: readonly string[] = []) => ({
  headers: { 'impersonate-user': user, ...(groups.length > 0 && { 'impersonate-group': groups.join(',') }) },
})

export const callers: Theme = {
  theme: 'caller',
  cases: [
    caseOf('who is nobody, reading', get(MAPS, nobody), get(`${MAPS}/a`, nobody)),
    caseOf('who is nobody, writing', post(MAPS, configMap('a'), nobody), remove(`${MAPS}/a`, undefined, nobody)),
    caseOf(
      'who is nobody, at open paths',
      get('/healthz', nobody),
      get('/livez', nobody),
      get('/readyz', nobody),
      get('/version', { ...nobody, compare: 'status' }),
      get('/version/', { ...nobody, compare: 'status' }),
    ),
    caseOf(
      'who is nobody, at closed paths',
      get('/', nobody),
      get('/api', nobody),
      get('/apis', nobody),
      get('/metrics', nobody),
      get('/openapi/v2', nobody),
      get('/nothing', nobody),
    ),
    caseOf(
      'who is nobody, with a review',
      post(
        `${REVIEWS}/selfsubjectaccessreviews`,
        review('SelfSubjectAccessReview', { resourceAttributes: pods }),
        nobody,
      ),
    ),
    caseOf('with a token that is none', get(MAPS, { anonymous: true, headers: { authorization: 'Bearer nothing' } })),
    caseOf(
      'with a token of another form',
      get(MAPS, { anonymous: true, headers: { authorization: 'Basic bm86bm8=' } }),
    ),
    caseOf(
      'with a token of an account',
      post(`${ACCOUNTS}/default/token`, token({}), { save: { token: 'status.token' } }),
      get(MAPS, { anonymous: true, headers: { authorization: 'Bearer {token}' } }),
      get('/api', { anonymous: true, headers: { authorization: 'Bearer {token}' } }),
    ),
    caseOf('who acts as another', get(MAPS, as('jane'))),
    caseOf('who acts as another, writing', post(MAPS, configMap('a'), as('jane', ['developers']))),
    caseOf('who acts as an account', get(MAPS, as('system:serviceaccount:{ns}:default'))),
    caseOf('who acts as a master', get(MAPS, as('jane', ['system:masters']))),
    caseOf('who acts as a group alone', get(MAPS, { headers: { 'impersonate-group': 'developers' } })),
    caseOf(
      'who acts as another, asking who',
      post(
        '/apis/authentication.k8s.io/v1/selfsubjectreviews',
        {},
        {
          headers: {
            'impersonate-user': 'jane',
            'impersonate-group': 'system:authenticated',
            'impersonate-uid': '7',
            'impersonate-extra-scopes': 'view',
          },
        },
      ),
    ),
    caseOf(
      'who may look at discovery only',
      get('/api', as('jane')),
      get('/apis/apps/v1', as('jane')),
      get('/nothing', as('jane')),
    ),
    caseOf(
      'who may not look at one pod',
      get(`${PODS}/a`, as('jane')),
      get(`${PODS}/a/log`, as('jane')),
      get('/api/v1/nodes/a', as('jane')),
      get('/api/v1/nodes', as('jane')),
    ),
  ],
}
