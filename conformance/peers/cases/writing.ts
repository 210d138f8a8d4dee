/** Creating and updating: what is set, what is refused, and with which words. */

import { caseOf, get, post, put, type Theme } from '../case.ts'
import { configMap, DEPLOYMENTS, deployment, MAPS, PODS, pod, SERVICES, service } from './objects.ts'

const yaml = { headers: { 'content-type': 'application/yaml' } }
const sent = (name: string, metadata: object) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...metadata },
})

export const creating: Theme = {
  theme: 'create',
  cases: [
    caseOf('a config map', post(MAPS, configMap('a'))),
    caseOf('a pod', post(PODS, pod('a'))),
    caseOf('a deployment', post(DEPLOYMENTS, deployment('a'))),
    caseOf('a service', post(SERVICES, service('a'))),
    caseOf('a service of type NodePort', post(SERVICES, service('a', { type: 'NodePort' }))),
    caseOf('a headless service', post(SERVICES, service('a', { clusterIP: 'None' }))),
    caseOf(
      'a service of a name elsewhere',
      post(SERVICES, { ...service('a'), spec: { type: 'ExternalName', externalName: 'example.com' } }),
    ),
    caseOf('what is there', post(MAPS, configMap('a')), post(MAPS, configMap('a'))),
    caseOf('in a namespace that is not there', post('/api/v1/namespaces/absent/configmaps', configMap('a'))),
    caseOf('without a name', post(MAPS, { ...configMap('a'), metadata: {} })),
    caseOf('with a generated name', post(MAPS, { ...configMap('a'), metadata: { generateName: 'a-' } })),
    caseOf(
      'with a bad prefix for a generated name',
      post(MAPS, { ...configMap('a'), metadata: { generateName: 'A_' } }),
    ),
    caseOf('with a bad name', post(MAPS, configMap('Not_A_Name'))),
    caseOf('with a name that is too long', post(MAPS, configMap('a'.repeat(254)))),
    caseOf('with the name of another namespace', post(MAPS, sent('a', { namespace: 'elsewhere' }))),
    caseOf('with another kind', post(MAPS, { ...configMap('a'), kind: 'Secret' })),
    caseOf('with a kind that is not there', post(MAPS, { ...configMap('a'), kind: 'Nothing' })),
    caseOf('with another version', post(MAPS, { ...configMap('a'), apiVersion: 'v2' })),
    caseOf('with another group', post(DEPLOYMENTS, { ...deployment('a'), apiVersion: 'extensions/v1beta1' })),
    caseOf('without kind and version', post(MAPS, { metadata: { name: 'a' } })),
    caseOf('with a version that is no version', post(MAPS, { ...configMap('a'), apiVersion: 'a/b/c' })),
    caseOf('with a resourceVersion', post(MAPS, sent('a', { resourceVersion: '1' }))),
    caseOf(
      'with a uid and times of its own',
      post(
        MAPS,
        sent('a', {
          uid: 'mine',
          creationTimestamp: '2020-01-01T00:00:00Z',
          deletionTimestamp: '2020-01-01T00:00:00Z',
          generation: 7,
          selfLink: '/a',
        }),
      ),
    ),
    caseOf('with a label whose key is none', post(MAPS, sent('a', { labels: { 'a b': 'c' } }))),
    caseOf('with a label whose value is none', post(MAPS, sent('a', { labels: { d: 'e f' } }))),
    caseOf(
      'with annotations that are none',
      post(MAPS, sent('a', { annotations: { 'a b': 'c', 'A.example.com/b': 'c' } })),
    ),
    caseOf('with finalizers that are none', post(MAPS, sent('a', { finalizers: ['a b', 'short'] }))),
    caseOf(
      'with owners that are none',
      post(MAPS, sent('a', { ownerReferences: [{ apiVersion: '', kind: '', name: '', uid: '' }] })),
    ),
    caseOf(
      'with two controllers',
      post(
        MAPS,
        sent('a', {
          ownerReferences: ['x', 'y'].map((name) => ({
            apiVersion: 'v1',
            kind: 'Pod',
            name,
            uid: name,
            controller: true,
          })),
        }),
      ),
    ),
    caseOf(
      'with an event as owner',
      post(MAPS, sent('a', { ownerReferences: [{ apiVersion: 'v1', kind: 'Event', name: 'x', uid: 'x' }] })),
    ),
    caseOf(
      'with managed fields of its own',
      post(
        MAPS,
        sent('a', {
          managedFields: [
            { manager: 'me', operation: 'Update', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: {} },
          ],
        }),
      ),
    ),
    caseOf(
      'with managed fields that are none',
      post(MAPS, sent('a', { managedFields: [{ manager: 'me', operation: 'Dance', fieldsType: 'V2' }] })),
    ),
    caseOf('from YAML', post(MAPS, 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  a: b\n', yaml)),
    caseOf(
      'from YAML with a key twice',
      post(
        `${MAPS}?fieldValidation=Strict`,
        'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  a: b\n  a: c\n',
        yaml,
      ),
    ),
    caseOf(
      'from YAML with a key twice and a warning',
      post(MAPS, 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  a: b\n  a: c\n', yaml),
    ),
    caseOf('from malformed YAML', post(MAPS, 'a: [b\nc: d', yaml)),
    caseOf('from malformed JSON', post(MAPS, '{"apiVersion": "v1", ')),
    caseOf(
      'from JSON with something after it',
      post(MAPS, '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}} x'),
    ),
    caseOf('from an empty body', post(MAPS, '')),
    caseOf('from no body', { send: `POST ${MAPS}` }),
    caseOf('from a list', post(MAPS, '[]')),
    caseOf('from null', post(MAPS, 'null')),
    caseOf('from a string', post(MAPS, '"a"')),
    caseOf(
      'from a content type that is not taken',
      post(MAPS, configMap('a'), { headers: { 'content-type': 'text/plain' } }),
    ),
    caseOf('from a content type that is malformed', post(MAPS, configMap('a'), { headers: { 'content-type': ';;' } })),
    caseOf(
      'from JSON with a charset',
      post(MAPS, configMap('a'), { headers: { 'content-type': 'application/json; charset=utf-8' } }),
    ),
    caseOf(
      'from malformed protobuf',
      post(MAPS, 'k8s\0nonsense', { headers: { 'content-type': 'application/vnd.kubernetes.protobuf' } }),
    ),
    caseOf('with an unknown field', post(MAPS, { ...configMap('a'), spec: {} })),
    caseOf('with an unknown field, strictly', post(`${MAPS}?fieldValidation=Strict`, { ...configMap('a'), spec: {} })),
    caseOf(
      'with an unknown field, ignoring it',
      post(`${MAPS}?fieldValidation=Ignore`, { ...configMap('a'), spec: {} }),
    ),
    caseOf('with an unknown validation', post(`${MAPS}?fieldValidation=Maybe`, configMap('a'))),
    caseOf(
      'with a field twice',
      post(MAPS, '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","name":"b"}}'),
    ),
    caseOf(
      'with a field twice, strictly',
      post(
        `${MAPS}?fieldValidation=Strict`,
        '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","name":"b"}}',
      ),
    ),
    caseOf(
      'with unknown fields deep inside',
      post(
        `${DEPLOYMENTS}?fieldValidation=Strict`,
        deployment('a', {
          nothing: 1,
          template: {
            metadata: { labels: { app: 'a' } },
            spec: {
              containers: [{ name: 'a', image: 'a', imagee: 'b', ports: [{ containerPort: 80, hostPorts: 1 }] }],
            },
          },
        }),
      ),
    ),
    caseOf('with wrong case', post(`${DEPLOYMENTS}?fieldValidation=Strict`, deployment('a', { Replicas: 3 }))),
    caseOf('with a wrong type', post(DEPLOYMENTS, deployment('a', { replicas: 'three' }))),
    caseOf('with a number for a string', post(MAPS, { ...configMap('a'), data: { key: 1 } })),
    caseOf('with a fraction for a whole number', post(DEPLOYMENTS, deployment('a', { replicas: 1.5 }))),
    caseOf('with a number beyond 32 bits', post(DEPLOYMENTS, deployment('a', { replicas: 3_000_000_000 }))),
    caseOf(
      'with bytes that are not base64',
      post('/api/v1/namespaces/{ns}/secrets', {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'a' },
        data: { a: '$$$' },
      }),
    ),
    caseOf('dry', post(`${MAPS}?dryRun=All`, configMap('a')), get(`${MAPS}/a`)),
    caseOf('dry, what is there', post(MAPS, configMap('a')), post(`${MAPS}?dryRun=All`, configMap('a'))),
    caseOf('half dry', post(`${MAPS}?dryRun=Some`, configMap('a'))),
    caseOf('with a field manager', post(`${MAPS}?fieldManager=me`, configMap('a'))),
    caseOf('with a field manager that is too long', post(`${MAPS}?fieldManager=${'a'.repeat(129)}`, configMap('a'))),
    caseOf('with a field manager that cannot be printed', post(`${MAPS}?fieldManager=a%07`, configMap('a'))),
    caseOf('an object by name', post(`${MAPS}/a`, configMap('a'))),
    caseOf('an invalid deployment', post(DEPLOYMENTS, { ...deployment('a'), spec: {} })),
    caseOf(
      'a deployment whose selector selects nothing',
      post(DEPLOYMENTS, deployment('a', { selector: { matchLabels: { app: 'other' } } })),
    ),
    caseOf(
      'a pod with a warning',
      post(
        PODS,
        pod('a', {
          terminationGracePeriodSeconds: -1,
          containers: [
            {
              name: 'a',
              image: 'a',
              env: [
                { name: 'A', value: 'a' },
                { name: 'A', value: 'b' },
              ],
            },
          ],
        }),
      ),
    ),
    caseOf('a namespace that is there', post('/api/v1/namespaces', { metadata: { name: '{ns}' } })),
    caseOf('a node', post('/api/v1/nodes', { metadata: { name: 'created' } })),
    caseOf('a pod of an account that is not there', post(PODS, pod('a', { serviceAccountName: 'absent' }))),
    caseOf('a pod of a priority that is not there', post(PODS, pod('a', { priorityClassName: 'absent' }))),
    caseOf('a pod of a runtime that is not there', post(PODS, pod('a', { runtimeClassName: 'absent' }))),
    caseOf('a large object', post(MAPS, { ...configMap('a'), data: { a: 'x'.repeat(1_100_000) } })),
    caseOf('an object beyond the limit', post(MAPS, { ...configMap('a'), data: { a: 'x'.repeat(3_200_000) } })),
    caseOf('an object that nests deeply', post(MAPS, `${'{"a":'.repeat(11_000)}1${'}'.repeat(11_000)}`)),
  ],
}

export const updating: Theme = {
  theme: 'update',
  cases: [
    caseOf('a config map', post(MAPS, configMap('a')), put(`${MAPS}/a`, configMap('a', { data: { b: 'c' } }))),
    caseOf('without a change', post(MAPS, configMap('a')), put(`${MAPS}/a`, configMap('a'))),
    caseOf(
      'a deployment',
      post(DEPLOYMENTS, deployment('a')),
      put(`${DEPLOYMENTS}/a`, deployment('a', { replicas: 5 })),
    ),
    caseOf('what is not there', put(`${MAPS}/a`, configMap('a'))),
    caseOf(
      'what is not there but may be created',
      put('/api/v1/namespaces/{ns}/endpoints/a', { metadata: { name: 'a' } }),
    ),
    caseOf('a service that is not there', put(`${SERVICES}/a`, service('a'))),
    caseOf(
      'a lease that is not there',
      put('/apis/coordination.k8s.io/v1/namespaces/{ns}/leases/a', {
        metadata: { name: 'a' },
        spec: { holderIdentity: 'me' },
      }),
    ),
    caseOf(
      'a lease without its version',
      post('/apis/coordination.k8s.io/v1/namespaces/{ns}/leases', { metadata: { name: 'a' } }),
      put('/apis/coordination.k8s.io/v1/namespaces/{ns}/leases/a', {
        metadata: { name: 'a' },
        spec: { holderIdentity: 'me' },
      }),
    ),
    caseOf('with another name', post(MAPS, configMap('a')), put(`${MAPS}/a`, configMap('b'))),
    caseOf('without a name', post(MAPS, configMap('a')), put(`${MAPS}/a`, { data: {} })),
    caseOf(
      'with another namespace',
      post(MAPS, configMap('a')),
      put(`${MAPS}/a`, sent('a', { namespace: 'elsewhere' })),
    ),
    caseOf(
      'with an old version',
      post(MAPS, configMap('a'), { save: { at: 'metadata.resourceVersion' } }),
      put(`${MAPS}/a`, configMap('a', { data: {} })),
      put(`${MAPS}/a`, sent('a', { resourceVersion: '{at}' })),
    ),
    caseOf(
      'with a version far ahead',
      post(MAPS, configMap('a')),
      put(`${MAPS}/a`, sent('a', { resourceVersion: '999999999' })),
    ),
    caseOf(
      'with a version that is no number',
      post(MAPS, configMap('a')),
      put(`${MAPS}/a`, sent('a', { resourceVersion: 'x' })),
    ),
    caseOf(
      'with another uid',
      post(MAPS, configMap('a')),
      put(`${MAPS}/a`, sent('a', { uid: '11111111-1111-1111-1111-111111111111' })),
    ),
    caseOf(
      'with another creation time',
      post(MAPS, configMap('a')),
      put(`${MAPS}/a`, sent('a', { creationTimestamp: '2020-01-01T00:00:00Z' })),
    ),
    caseOf(
      'with another generation',
      post(DEPLOYMENTS, deployment('a')),
      put(`${DEPLOYMENTS}/a`, { ...deployment('a'), metadata: { name: 'a', generation: 7 } }),
    ),
    caseOf(
      'of a selector',
      post(DEPLOYMENTS, deployment('a')),
      put(`${DEPLOYMENTS}/a`, deployment('a', { selector: { matchLabels: { app: 'b' } } })),
    ),
    caseOf(
      'of an immutable config map',
      post(MAPS, configMap('a', { immutable: true })),
      put(`${MAPS}/a`, configMap('a', { immutable: true, data: { b: 'c' } })),
      put(`${MAPS}/a`, configMap('a', { immutable: false })),
    ),
    caseOf('of a pod', post(PODS, pod('a')), put(`${PODS}/a`, pod('a', { nodeSelector: { a: 'b' } }))),
    caseOf(
      "of a pod's image",
      post(PODS, pod('a')),
      put(`${PODS}/a`, pod('a', { containers: [{ name: 'app', image: 'other:2' }] })),
    ),
    caseOf(
      'of a cluster IP',
      post(SERVICES, service('a')),
      put(`${SERVICES}/a`, service('a', { clusterIP: '10.164.0.77' })),
    ),
    caseOf('with another kind', post(MAPS, configMap('a')), put(`${MAPS}/a`, { ...configMap('a'), kind: 'Secret' })),
    caseOf(
      'dry',
      post(MAPS, configMap('a')),
      put(`${MAPS}/a?dryRun=All`, configMap('a', { data: {} })),
      get(`${MAPS}/a`),
    ),
    caseOf(
      'with an unknown field, strictly',
      post(MAPS, configMap('a')),
      put(`${MAPS}/a?fieldValidation=Strict`, configMap('a', { spec: {} })),
    ),
    caseOf('of a list', put(MAPS, configMap('a'))),
    caseOf(
      'of a status',
      post(DEPLOYMENTS, deployment('a')),
      put(`${DEPLOYMENTS}/a/status`, {
        ...deployment('a', { replicas: 9 }),
        status: { replicas: 2, observedGeneration: 1 },
      }),
    ),
    caseOf(
      'of a status that is invalid',
      post(DEPLOYMENTS, deployment('a')),
      put(`${DEPLOYMENTS}/a/status`, { ...deployment('a'), status: { replicas: -1, readyReplicas: 3 } }),
    ),
    caseOf(
      'of the status by the main resource',
      post(DEPLOYMENTS, deployment('a')),
      put(`${DEPLOYMENTS}/a`, { ...deployment('a'), status: { replicas: 2 } }),
    ),
  ],
}
