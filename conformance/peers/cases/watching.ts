/** Watches that end by themselves, compared event by event. */

import { accept, caseOf, get, MERGE_PATCH, METADATA_LIST, patch, post, remove, TABLE, type Theme } from '../case.ts'
import { configMap, MAPS, PODS, pod } from './objects.ts'

const labelled = (name: string, label: string) => ({ ...configMap(name), metadata: { name, labels: { n: label } } })
const first = post(MAPS, labelled('a', '1'), { save: { at: 'metadata.resourceVersion' } })
const watch = (query: string) => `${MAPS}?watch=true&timeoutSeconds=1&${query}`
const story = [
  first,
  post(MAPS, labelled('b', '2')),
  patch(MERGE_PATCH, `${MAPS}/b`, { metadata: { labels: { n: '1' } } }),
  patch(MERGE_PATCH, `${MAPS}/a`, { metadata: { labels: { n: '2' } } }),
  patch(MERGE_PATCH, `${MAPS}/a`, { data: { b: 'c' } }),
  remove(`${MAPS}/b`),
]

export const watching: Theme = {
  theme: 'watch',
  cases: [
    caseOf('from a version', ...story, get(watch('resourceVersion={at}'))),
    caseOf('from a version, by label', ...story, get(watch('resourceVersion={at}&labelSelector=n%3D1'))),
    caseOf('from a version, by another label', ...story, get(watch('resourceVersion={at}&labelSelector=n%3D2'))),
    caseOf('from a version, by name', ...story, get(watch('resourceVersion={at}&fieldSelector=metadata.name%3Da'))),
    caseOf(
      'of one object by path',
      ...story,
      get(`/api/v1/watch/namespaces/{ns}/configmaps/a?timeoutSeconds=1&resourceVersion={at}`),
    ),
    caseOf(
      'of a list by path',
      ...story,
      get(`/api/v1/watch/namespaces/{ns}/configmaps?timeoutSeconds=1&resourceVersion={at}`),
    ),
    caseOf('of one object', ...story, get(`${MAPS}/a?watch=true&timeoutSeconds=1&resourceVersion={at}`)),
    caseOf('from now on', first, get(watch(''))),
    caseOf('from version 0', first, get(watch('resourceVersion=0'))),
    caseOf(
      'with initial events',
      first,
      post(MAPS, configMap('c')),
      get(watch('sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true')),
    ),
    caseOf('with initial events without a match', get(watch('sendInitialEvents=true'))),
    caseOf(
      'with initial events and an exact match',
      get(watch('sendInitialEvents=true&resourceVersionMatch=Exact&resourceVersion=1')),
    ),
    caseOf('with a match and no initial events', get(watch('resourceVersion=1&resourceVersionMatch=NotOlderThan'))),
    caseOf(
      'without initial events, but said so',
      first,
      get(watch('resourceVersion={at}&sendInitialEvents=false&resourceVersionMatch=NotOlderThan')),
    ),
    caseOf('as tables', ...story, get(watch('resourceVersion={at}'), accept(TABLE))),
    caseOf(
      'as tables with whole objects',
      ...story,
      get(watch('resourceVersion={at}&includeObject=Object'), accept(TABLE)),
    ),
    caseOf(
      'as metadata',
      ...story,
      get(watch('resourceVersion={at}'), accept('application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io')),
    ),
    caseOf('as lists of metadata', get(watch(''), accept(METADATA_LIST))),
    caseOf('in YAML', get(watch(''), accept('application/yaml'))),
    caseOf('in protobuf', ...story, get(watch('resourceVersion={at}'), accept('application/vnd.kubernetes.protobuf'))),
    caseOf(
      'as a stream of JSON',
      ...story,
      get(watch('resourceVersion={at}'), accept('application/json;stream=watch')),
    ),
    caseOf('from a version that is no number', get(watch('resourceVersion=x'))),
    caseOf('from a negative version', get(watch('resourceVersion=-1'))),
    caseOf('from a version far ahead', get(watch('resourceVersion=999999999999'))),
    caseOf('from a version long gone', get(`${MAPS}?watch=true&timeoutSeconds=1&resourceVersion=1`)),
    caseOf('with a malformed selector', get(watch('labelSelector=a+b'))),
    caseOf('by a field that is not offered', get(watch('fieldSelector=a%3Db'))),
    caseOf('with a timeout that is no number', get(`${MAPS}?watch=true&timeoutSeconds=x`)),
    caseOf('with watch that is no boolean', get(`${MAPS}?watch=x&timeoutSeconds=1`)),
    caseOf('with watch of 0', first, get(`${MAPS}?watch=0`)),
    caseOf('with a limit', ...story, get(watch('resourceVersion={at}&limit=1'))),
    caseOf('of what cannot be watched', get('/api/v1/componentstatuses?watch=true&timeoutSeconds=1')),
    caseOf('of a resource that is not there', get('/api/v1/namespaces/{ns}/nothings?watch=true&timeoutSeconds=1')),
    caseOf(
      'of pods as tables',
      post(PODS, pod('a'), { save: { at: 'metadata.resourceVersion' } }),
      patch(MERGE_PATCH, `${PODS}/a/status`, { status: { phase: 'Running' } }),
      remove(`${PODS}/a`),
      get(`${PODS}?watch=true&timeoutSeconds=1&resourceVersion={at}`, accept(TABLE)),
    ),
    caseOf(
      'of pods by phase',
      post(PODS, pod('a'), { save: { at: 'metadata.resourceVersion' } }),
      patch(MERGE_PATCH, `${PODS}/a/status`, { status: { phase: 'Running' } }),
      get(`${PODS}?watch=true&timeoutSeconds=1&resourceVersion={at}&fieldSelector=status.phase%3DRunning`),
    ),
  ],
}
