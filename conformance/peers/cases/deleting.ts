/** Deleting: one object and collections, with every option. */

import { caseOf, get, MERGE_PATCH, patch, post, remove, type Theme } from '../case.ts'
import { configMap, DEPLOYMENTS, deployment, MAPS, PODS, pod, SERVICES, service } from './objects.ts'

const made = post(MAPS, configMap('a'))
const held = post(MAPS, { ...configMap('a'), metadata: { name: 'a', finalizers: ['example.com/hold'] } })
const options = (more: object) => ({ apiVersion: 'v1', kind: 'DeleteOptions', ...more })
const JOBS = '/apis/batch/v1/namespaces/{ns}/jobs'
const job = {
  metadata: { name: 'a' },
  spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'a', image: 'a' }] } } },
}

export const deleting: Theme = {
  theme: 'delete',
  cases: [
    caseOf('an object', made, remove(`${MAPS}/a`), get(`${MAPS}/a`)),
    caseOf('what is not there', remove(`${MAPS}/a`)),
    caseOf('a pod that never ran', post(PODS, pod('a')), remove(`${PODS}/a`), get(`${PODS}/a`)),
    caseOf('a pod on a node', post(PODS, pod('a', { nodeName: 'somewhere' })), remove(`${PODS}/a`), get(`${PODS}/a`)),
    caseOf(
      'a pod at once',
      post(PODS, pod('a', { nodeName: 'somewhere' })),
      remove(`${PODS}/a`, options({ gracePeriodSeconds: 0 })),
      get(`${PODS}/a`),
    ),
    caseOf(
      'a pod with a shorter grace',
      post(PODS, pod('a', { nodeName: 'somewhere' })),
      remove(`${PODS}/a?gracePeriodSeconds=10`),
      remove(`${PODS}/a?gracePeriodSeconds=5`),
    ),
    caseOf(
      'a pod with a longer grace',
      post(PODS, pod('a', { nodeName: 'somewhere' })),
      remove(`${PODS}/a?gracePeriodSeconds=10`),
      remove(`${PODS}/a?gracePeriodSeconds=50`),
    ),
    caseOf(
      'with a negative grace',
      post(PODS, pod('a', { nodeName: 'somewhere' })),
      remove(`${PODS}/a`, options({ gracePeriodSeconds: -5 })),
    ),
    caseOf('a service', post(SERVICES, service('a')), remove(`${SERVICES}/a`)),
    caseOf('with a finalizer', held, remove(`${MAPS}/a`), remove(`${MAPS}/a`), get(`${MAPS}/a`)),
    caseOf(
      'with a finalizer that goes then',
      held,
      remove(`${MAPS}/a`),
      patch(MERGE_PATCH, `${MAPS}/a`, { metadata: { finalizers: null } }),
      get(`${MAPS}/a`),
    ),
    caseOf(
      'with a finalizer that comes too late',
      held,
      remove(`${MAPS}/a`),
      patch(MERGE_PATCH, `${MAPS}/a`, { metadata: { finalizers: ['example.com/hold', 'example.com/more'] } }),
    ),
    caseOf(
      'with a change while it goes',
      held,
      remove(`${MAPS}/a`),
      patch(MERGE_PATCH, `${MAPS}/a`, { data: { b: 'c' } }),
    ),
    caseOf('and create while it goes', held, remove(`${MAPS}/a`), made),
    caseOf(
      'in the foreground',
      post(DEPLOYMENTS, deployment('a')),
      remove(`${DEPLOYMENTS}/a`, options({ propagationPolicy: 'Foreground' })),
    ),
    caseOf(
      'as orphan',
      post(DEPLOYMENTS, deployment('a')),
      remove(`${DEPLOYMENTS}/a`, options({ propagationPolicy: 'Orphan' })),
    ),
    caseOf(
      'in the background',
      post(DEPLOYMENTS, deployment('a')),
      remove(`${DEPLOYMENTS}/a?propagationPolicy=Background`),
    ),
    caseOf(
      'with orphanDependents',
      post(DEPLOYMENTS, deployment('a')),
      remove(`${DEPLOYMENTS}/a?orphanDependents=true`),
    ),
    caseOf(
      'with orphanDependents false',
      post(DEPLOYMENTS, deployment('a')),
      remove(`${DEPLOYMENTS}/a`, options({ orphanDependents: false })),
    ),
    caseOf(
      'with two policies',
      post(DEPLOYMENTS, deployment('a')),
      remove(`${DEPLOYMENTS}/a`, options({ orphanDependents: false, propagationPolicy: 'Orphan' })),
    ),
    caseOf('with an unknown policy', made, remove(`${MAPS}/a`, options({ propagationPolicy: 'Maybe' }))),
    caseOf('with an unknown policy in the query', made, remove(`${MAPS}/a?propagationPolicy=Maybe`)),
    caseOf('a job', post(JOBS, job), remove(`${JOBS}/a`)),
    caseOf(
      'with its uid',
      { ...made, save: { uid: 'metadata.uid' } },
      remove(`${MAPS}/a`, options({ preconditions: { uid: '{uid}' } })),
    ),
    caseOf(
      'with another uid',
      made,
      remove(`${MAPS}/a`, options({ preconditions: { uid: '11111111-1111-1111-1111-111111111111' } })),
    ),
    caseOf('with another version', made, remove(`${MAPS}/a`, options({ preconditions: { resourceVersion: '1' } }))),
    caseOf('dry', made, remove(`${MAPS}/a?dryRun=All`), get(`${MAPS}/a`)),
    caseOf('half dry', made, remove(`${MAPS}/a?dryRun=Some`)),
    caseOf('dry by the body', made, remove(`${MAPS}/a`, options({ dryRun: ['All'] })), get(`${MAPS}/a`)),
    caseOf('with malformed options', made, remove(`${MAPS}/a`, '{')),
    caseOf('with options of another kind', made, remove(`${MAPS}/a`, { apiVersion: 'v1', kind: 'ConfigMap' })),
    caseOf(
      'with options of another group',
      made,
      remove(`${MAPS}/a`, { apiVersion: 'apps/v1', kind: 'DeleteOptions' }),
    ),
    caseOf('with options without a kind', made, remove(`${MAPS}/a`, { gracePeriodSeconds: 0 })),
    caseOf('with an unknown option', made, remove(`${MAPS}/a`, options({ nothing: 1 }))),
    caseOf('with a wrong type of option', made, remove(`${MAPS}/a`, options({ gracePeriodSeconds: 'soon' }))),
    caseOf('with a grace that is no number', made, remove(`${MAPS}/a?gracePeriodSeconds=soon`)),
    caseOf('with a wrong content type', made, remove(`${MAPS}/a`, 'x', { headers: { 'content-type': 'text/plain' } })),
    caseOf(
      'with a table in return',
      made,
      remove(`${MAPS}/a`, undefined, {
        headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' },
      }),
    ),
    caseOf('a name no object can have', remove(`${MAPS}/Not_A_Name`)),
    caseOf(
      'a namespace',
      post('/api/v1/namespaces', { metadata: { name: 'deleted' } }),
      remove('/api/v1/namespaces/deleted'),
      get('/api/v1/namespaces/deleted'),
      post('/api/v1/namespaces/deleted/configmaps', configMap('a')),
    ),
    caseOf('the default namespace', remove('/api/v1/namespaces/default')),
    caseOf('all namespaces', remove('/api/v1/namespaces')),
    caseOf('a resource that has no delete', remove('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews/a')),
    caseOf('a subresource', made, remove(`${MAPS}/a/status`)),
  ],
}

export const deletingCollections: Theme = {
  theme: 'delete collection',
  cases: [
    caseOf('of nothing', remove(MAPS)),
    caseOf('of everything', made, post(MAPS, configMap('b')), remove(MAPS), get(MAPS)),
    caseOf(
      'by label',
      post(MAPS, { ...configMap('a'), metadata: { name: 'a', labels: { a: 'b' } } }),
      post(MAPS, configMap('b')),
      remove(`${MAPS}?labelSelector=a`),
      get(MAPS),
    ),
    caseOf('by name', made, post(MAPS, configMap('b')), remove(`${MAPS}?fieldSelector=metadata.name%3Db`), get(MAPS)),
    caseOf('by a field that is not offered', remove(`${MAPS}?fieldSelector=data%3Db`)),
    caseOf('by a malformed selector', remove(`${MAPS}?labelSelector=a+b`)),
    caseOf('dry', made, remove(`${MAPS}?dryRun=All`), get(MAPS)),
    caseOf('with finalizers', held, remove(MAPS)),
    caseOf('of pods on nodes', post(PODS, pod('a', { nodeName: 'somewhere' })), post(PODS, pod('b')), remove(PODS)),
    caseOf('of services', post(SERVICES, service('a')), remove(SERVICES)),
    caseOf('with an unknown policy', made, remove(`${MAPS}?propagationPolicy=Maybe`)),
    caseOf('with malformed options', made, remove(MAPS, '{')),
    caseOf('with a version far ahead', made, remove(`${MAPS}?resourceVersion=999999999999`)),
    caseOf('with a limit', made, post(MAPS, configMap('b')), remove(`${MAPS}?limit=1`), get(MAPS)),
    caseOf('of all namespaces', remove('/api/v1/configmaps')),
  ],
}
