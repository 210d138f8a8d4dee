/** The four kinds of patches: what they make, and what is refused. */

import { APPLY_PATCH, caseOf, get, JSON_PATCH, MERGE_PATCH, patch, post, STRATEGIC_PATCH, type Theme } from '../case.ts'
import { configMap, DEPLOYMENTS, deployment, MAPS, PODS, pod, SERVICES, service } from './objects.ts'

const made = post(MAPS, configMap('a'))
const deployed = post(DEPLOYMENTS, deployment('a'))
const json = (operations: unknown, query = '') => patch(JSON_PATCH, `${MAPS}/a${query}`, operations)
const merge = (changes: unknown, query = '') => patch(MERGE_PATCH, `${MAPS}/a${query}`, changes)
const strategic = (changes: unknown, query = '') => patch(STRATEGIC_PATCH, `${DEPLOYMENTS}/a${query}`, changes)
const container = (more: object) => ({ spec: { template: { spec: { containers: [{ name: 'app', ...more }] } } } })
const at = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } })

export const jsonPatches: Theme = {
  theme: 'JSON patch',
  cases: [
    caseOf('that adds', made, json([{ op: 'add', path: '/data/b', value: 'c' }])),
    caseOf('that adds what cannot be reached', made, json([{ op: 'add', path: '/metadata/labels/b', value: 'c' }])),
    caseOf('that replaces', made, json([{ op: 'replace', path: '/data/key', value: 'c' }])),
    caseOf('that replaces what is not there', made, json([{ op: 'replace', path: '/data/b', value: 'c' }])),
    caseOf('that removes', made, json([{ op: 'remove', path: '/data/key' }])),
    caseOf('that removes what is not there', made, json([{ op: 'remove', path: '/data/b' }])),
    caseOf('that moves', made, json([{ op: 'move', from: '/data/key', path: '/data/b' }])),
    caseOf('that copies', made, json([{ op: 'copy', from: '/data/key', path: '/data/b' }])),
    caseOf('that tests rightly', made, json([{ op: 'test', path: '/data/key', value: 'value' }])),
    caseOf('that tests wrongly', made, json([{ op: 'test', path: '/data/key', value: 'c' }])),
    caseOf(
      'with escapes',
      made,
      json([
        { op: 'add', path: '/metadata/annotations', value: { 'a/b': 'c' } },
        { op: 'remove', path: '/metadata/annotations/a~1b' },
      ]),
    ),
    caseOf(
      'to the end of a list',
      deployed,
      patch(JSON_PATCH, `${DEPLOYMENTS}/a`, [
        { op: 'add', path: '/spec/template/spec/containers/-', value: { name: 'b', image: 'b' } },
      ]),
    ),
    caseOf(
      'beyond a list',
      deployed,
      patch(JSON_PATCH, `${DEPLOYMENTS}/a`, [
        { op: 'replace', path: '/spec/template/spec/containers/7/image', value: 'b' },
      ]),
    ),
    caseOf('with an unknown operation', made, json([{ op: 'dance', path: '/data' }])),
    caseOf('without a path', made, json([{ op: 'add', value: 1 }])),
    caseOf('that is no list', made, json({ op: 'add' })),
    caseOf('that is malformed', made, json('[{')),
    caseOf('of nothing', made, json([])),
    caseOf('that makes a wrong type', made, json([{ op: 'replace', path: '/data', value: 'c' }])),
    caseOf('of the name', made, json([{ op: 'replace', path: '/metadata/name', value: 'c' }])),
    caseOf('of what is not there', json([{ op: 'add', path: '/data/b', value: 'c' }])),
    caseOf(
      'with an unknown field, strictly',
      made,
      json([{ op: 'add', path: '/spec', value: {} }], '?fieldValidation=Strict'),
    ),
    caseOf('dry', made, json([{ op: 'add', path: '/data/b', value: 'c' }], '?dryRun=All'), get(`${MAPS}/a`)),
  ],
}

export const mergePatches: Theme = {
  theme: 'merge patch',
  cases: [
    caseOf('that sets', made, merge({ data: { b: 'c' } })),
    caseOf('that removes', made, merge({ data: { key: null } })),
    caseOf('that removes everything', made, merge({ data: null })),
    caseOf('of nothing', made, merge({})),
    caseOf('of labels', made, merge({ metadata: { labels: { a: 'b' } } })),
    caseOf('of bad labels', made, merge({ metadata: { labels: { 'a b': 'b' } } })),
    caseOf('of the name', made, merge({ metadata: { name: 'b' } })),
    caseOf('of the kind', made, merge({ kind: 'Secret' })),
    caseOf('with a list for an object', made, merge([])),
    caseOf('with a string', made, merge('"a"')),
    caseOf('that is malformed', made, merge('{')),
    caseOf('that is empty', made, merge('')),
    caseOf('with an old version', made, merge({ metadata: { resourceVersion: '1' }, data: {} })),
    caseOf('with another uid', made, merge({ metadata: { uid: '11111111-1111-1111-1111-111111111111' } })),
    caseOf('of a wrong type', made, merge({ data: { key: 1 } })),
    caseOf('of an unknown field', made, merge({ spec: 1 })),
    caseOf('of an unknown field, strictly', made, merge({ spec: 1 }, '?fieldValidation=Strict')),
    caseOf('with a field twice, strictly', made, merge('{"data":{"a":"1","a":"2"}}', '?fieldValidation=Strict')),
    caseOf('of what is not there', merge({ data: {} })),
    caseOf('with force', made, merge({ data: {} }, '?force=true')),
    caseOf('with an unknown validation', made, merge({ data: {} }, '?fieldValidation=Maybe')),
    caseOf('half dry', made, merge({ data: {} }, '?dryRun=Some')),
    caseOf(
      'of a container list',
      deployed,
      patch(MERGE_PATCH, `${DEPLOYMENTS}/a`, {
        spec: { template: { spec: { containers: [{ name: 'b', image: 'b' }] } } },
      }),
    ),
    caseOf(
      'of a status',
      deployed,
      patch(MERGE_PATCH, `${DEPLOYMENTS}/a/status`, { spec: { replicas: 9 }, status: { replicas: 1 } }),
    ),
    caseOf('of a scale', deployed, patch(MERGE_PATCH, `${DEPLOYMENTS}/a/scale`, { spec: { replicas: 9 } })),
    caseOf('of a whole list', patch(MERGE_PATCH, MAPS, {})),
    caseOf('with a content type that is not taken', made, patch('application/json', `${MAPS}/a`, {})),
    caseOf('without a content type', made, { send: `PATCH ${MAPS}/a`, body: '{}', headers: { 'content-type': '' } }),
    caseOf('with two content types', made, patch('application/merge-patch+json, application/json', `${MAPS}/a`, {})),
  ],
}

export const strategicPatches: Theme = {
  theme: 'strategic merge patch',
  cases: [
    caseOf('of one container', deployed, strategic(container({ image: 'b' }))),
    caseOf(
      'with one more container',
      deployed,
      strategic({ spec: { template: { spec: { containers: [{ name: 'b', image: 'b' }] } } } }),
    ),
    caseOf(
      'that deletes an item',
      deployed,
      strategic({
        spec: {
          template: {
            spec: {
              containers: [
                { name: 'b', image: 'b' },
                { name: 'app', $patch: 'delete' },
              ],
            },
          },
        },
      }),
    ),
    caseOf(
      'that replaces a list',
      deployed,
      strategic({ spec: { template: { spec: { containers: [{ name: 'c', image: 'c' }, { $patch: 'replace' }] } } } }),
    ),
    caseOf(
      'that orders a list',
      deployed,
      strategic({
        spec: {
          template: {
            spec: {
              $setElementOrder$containers: [{ name: 'b' }, { name: 'app' }],
              '$setElementOrder/containers': [{ name: 'b' }, { name: 'app' }],
              containers: [{ name: 'b', image: 'b' }],
            },
          },
        },
      }),
    ),
    caseOf(
      'that retains keys',
      deployed,
      strategic({ spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } }),
    ),
    caseOf(
      'that deletes from a list of primitives',
      post(MAPS, { ...configMap('a'), metadata: { name: 'a', finalizers: ['example.com/a', 'example.com/b'] } }),
      patch(STRATEGIC_PATCH, `${MAPS}/a`, { metadata: { '$deleteFromPrimitiveList/finalizers': ['example.com/a'] } }),
    ),
    caseOf(
      'that replaces an object',
      made,
      patch(STRATEGIC_PATCH, `${MAPS}/a`, { data: { $patch: 'replace', b: 'c' } }),
    ),
    caseOf('with an unknown directive', deployed, strategic({ spec: { $patch: 'dance' } })),
    caseOf(
      'without a merge key',
      deployed,
      strategic({ spec: { template: { spec: { containers: [{ image: 'b' }] } } } }),
    ),
    caseOf('with a null in a list', deployed, strategic({ spec: { template: { spec: { containers: [null] } } } })),
    caseOf(
      'of environment',
      deployed,
      strategic(container({ env: [{ name: 'A', value: 'b' }] })),
      strategic(container({ env: [{ name: 'B', value: 'c' }] })),
    ),
    caseOf(
      'of ports',
      deployed,
      strategic(container({ ports: [{ containerPort: 80 }] })),
      strategic(container({ ports: [{ containerPort: 80, name: 'http' }, { containerPort: 81 }] })),
    ),
    caseOf('of a wrong type', deployed, strategic({ spec: { replicas: 'x' } })),
    caseOf('of a list for an object', deployed, strategic({ spec: [] })),
    caseOf('of an unknown field', deployed, strategic({ spec: { nothing: 1 } })),
    caseOf('of an unknown field, strictly', deployed, strategic({ spec: { nothing: 1 } }, '?fieldValidation=Strict')),
    caseOf('that is malformed', deployed, strategic('{')),
    caseOf(
      'of a service port',
      post(SERVICES, service('a')),
      patch(STRATEGIC_PATCH, `${SERVICES}/a`, { spec: { ports: [{ port: 80, targetPort: 8080 }] } }),
    ),
    caseOf(
      'of a pod',
      post(PODS, pod('a')),
      patch(STRATEGIC_PATCH, `${PODS}/a`, { spec: { tolerations: [{ key: 'a', operator: 'Exists' }] } }),
    ),
  ],
}

const apply = (name: string, body: unknown, query = '?fieldManager=me') =>
  patch(APPLY_PATCH, `${MAPS}/${name}${query}`, body)
const applied = (more: object) => ({ ...at('a'), ...more })

export const applyPatches: Theme = {
  theme: 'apply',
  cases: [
    caseOf('of something new', apply('a', applied({ data: { a: 'b' } }))),
    caseOf('twice', apply('a', applied({ data: { a: 'b' } })), apply('a', applied({ data: { a: 'b' } }))),
    caseOf('of another value', apply('a', applied({ data: { a: 'b' } })), apply('a', applied({ data: { a: 'c' } }))),
    caseOf(
      'that leaves a field out',
      apply('a', applied({ data: { a: 'b', c: 'd' } })),
      apply('a', applied({ data: { a: 'b' } })),
    ),
    caseOf(
      'against another manager',
      apply('a', applied({ data: { a: 'b' } })),
      apply('a', applied({ data: { a: 'c' } }), '?fieldManager=you'),
    ),
    caseOf(
      'against another manager, by force',
      apply('a', applied({ data: { a: 'b' } })),
      apply('a', applied({ data: { a: 'c' } }), '?fieldManager=you&force=true'),
    ),
    caseOf(
      'together with another manager',
      apply('a', applied({ data: { a: 'b' } })),
      apply('a', applied({ data: { a: 'b' } }), '?fieldManager=you'),
    ),
    caseOf('against an update', made, apply('a', applied({ data: { key: 'c' } }))),
    caseOf(
      'against several fields of an update',
      post(MAPS, configMap('a', { data: { a: 'b', c: 'd' } })),
      apply('a', applied({ data: { a: 'x', c: 'y' } })),
    ),
    caseOf('without a manager', apply('a', applied({}), '')),
    caseOf('without a kind', apply('a', { metadata: { name: 'a' } })),
    caseOf('with another name', apply('a', { ...at('b') })),
    caseOf('without a name', apply('a', { apiVersion: 'v1', kind: 'ConfigMap', data: {} })),
    caseOf('with another kind', apply('a', { ...at('a'), kind: 'Secret' })),
    caseOf(
      'with managed fields',
      apply('a', { ...at('a'), metadata: { name: 'a', managedFields: [{ manager: 'x' }] } }),
    ),
    caseOf(
      'with a resourceVersion, of something new',
      apply('a', { ...at('a'), metadata: { name: 'a', resourceVersion: '1' } }),
    ),
    caseOf('with an old version', made, apply('a', { ...at('a'), metadata: { name: 'a', resourceVersion: '1' } })),
    caseOf('of an unknown field', apply('a', applied({ nothing: 1 }))),
    caseOf('of a wrong type', apply('a', applied({ data: { a: 1 } }))),
    caseOf('of a list for a map', apply('a', applied({ data: [] }))),
    caseOf('of malformed YAML', apply('a', 'a: [')),
    caseOf('from YAML', apply('a', 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  a: b\n')),
    caseOf(
      'from YAML with a key twice',
      apply('a', 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  a: b\n  a: c\n'),
    ),
    caseOf(
      'of a deployment',
      patch(APPLY_PATCH, `${DEPLOYMENTS}/a?fieldManager=me`, deployment('a')),
      patch(APPLY_PATCH, `${DEPLOYMENTS}/a?fieldManager=me`, deployment('a', { replicas: 7 })),
    ),
    caseOf(
      'of an invalid deployment',
      patch(APPLY_PATCH, `${DEPLOYMENTS}/a?fieldManager=me`, {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'a' },
        spec: {},
      }),
    ),
    caseOf(
      'of a container twice',
      patch(
        APPLY_PATCH,
        `${DEPLOYMENTS}/a?fieldManager=me`,
        deployment('a', {
          template: {
            metadata: { labels: { app: 'a' } },
            spec: {
              containers: [
                { name: 'a', image: 'a' },
                { name: 'a', image: 'b' },
              ],
            },
          },
        }),
      ),
    ),
    caseOf(
      'of ports by key',
      patch(APPLY_PATCH, `${SERVICES}/a?fieldManager=me`, {
        ...service('a', { ports: [{ port: 80, protocol: 'TCP', name: 'a' }] }),
      }),
      patch(APPLY_PATCH, `${SERVICES}/a?fieldManager=me`, {
        ...service('a', { ports: [{ port: 81, protocol: 'TCP', name: 'a' }] }),
      }),
    ),
    caseOf(
      'of a scale',
      deployed,
      patch(APPLY_PATCH, `${DEPLOYMENTS}/a/scale?fieldManager=me&force=true`, {
        apiVersion: 'autoscaling/v1',
        kind: 'Scale',
        metadata: { name: 'a' },
        spec: { replicas: 4 },
      }),
    ),
    caseOf(
      'of a status',
      deployed,
      patch(APPLY_PATCH, `${DEPLOYMENTS}/a/status?fieldManager=me`, {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'a' },
        status: { replicas: 4 },
      }),
    ),
    caseOf('dry', apply('a', applied({ data: { a: 'b' } }), '?fieldManager=me&dryRun=All'), get(`${MAPS}/a`)),
    caseOf('with a manager that is too long', apply('a', applied({}), `?fieldManager=${'m'.repeat(129)}`)),
    caseOf(
      'after an update with a manager',
      post(`${MAPS}?fieldManager=me`, configMap('a')),
      apply('a', applied({ data: { key: 'other' } })),
    ),
    caseOf(
      'of labels',
      apply('a', {
        ...at('a'),
        metadata: { name: 'a', labels: { a: 'b' }, annotations: { c: 'd' }, finalizers: ['example.com/a'] },
      }),
    ),
  ],
}
