/** Forms of an answer: tables, metadata, YAML, protobuf; and what no server can make. */

import { accept, caseOf, get, METADATA, METADATA_LIST, post, TABLE, type Theme } from '../case.ts'
import { configMap, DEPLOYMENTS, deployment, MAPS, PODS, pod, SECRETS, SERVICES, service } from './objects.ts'

const made = post(MAPS, configMap('a'))
const ONLY_TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io'

export const forms: Theme = {
  theme: 'form',
  cases: [
    caseOf('of a table of an object', made, get(`${MAPS}/a`, accept(TABLE))),
    caseOf('of a table of a list', made, post(MAPS, configMap('b')), get(MAPS, accept(TABLE))),
    caseOf('of an empty table', get(PODS, accept(TABLE))),
    caseOf(
      'of a table of an old version',
      made,
      get(MAPS, accept('application/json;as=Table;v=v1beta1;g=meta.k8s.io')),
    ),
    caseOf('of a table of an unknown version', made, get(MAPS, accept('application/json;as=Table;v=v9;g=meta.k8s.io'))),
    caseOf('of a table without objects', made, get(`${MAPS}?includeObject=None`, accept(TABLE))),
    caseOf('of a table with whole objects', made, get(`${MAPS}?includeObject=Object`, accept(TABLE))),
    caseOf('of a table with unknown objects', made, get(`${MAPS}?includeObject=Some`, accept(TABLE))),
    caseOf(
      'of a table in protobuf',
      made,
      get(MAPS, accept('application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io')),
    ),
    caseOf('of a table in YAML', made, get(MAPS, accept('application/yaml;as=Table;v=v1;g=meta.k8s.io'))),
    caseOf('of a table of what is not there', get(`${MAPS}/absent`, accept(ONLY_TABLE))),
    caseOf('of a table of what was made', { ...made, headers: { accept: TABLE } }),
    caseOf('of a table in pages', made, post(MAPS, configMap('b')), get(`${MAPS}?limit=1`, accept(TABLE))),
    caseOf('of metadata of an object', made, get(`${MAPS}/a`, accept(METADATA))),
    caseOf('of metadata of a list', made, get(MAPS, accept(METADATA_LIST))),
    caseOf('of metadata of a list that wants one', made, get(MAPS, accept(METADATA))),
    caseOf('of a list of metadata of one object', made, get(`${MAPS}/a`, accept(METADATA_LIST))),
    caseOf(
      'of metadata only, for a list',
      made,
      get(MAPS, accept('application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io')),
    ),
    caseOf(
      'of metadata in protobuf',
      made,
      get(MAPS, accept('application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io')),
    ),
    caseOf('of an unknown transformation', made, get(MAPS, accept('application/json;as=Poem;v=v1;g=meta.k8s.io'))),
    caseOf(
      'of a transformation of another group',
      made,
      get(MAPS, accept('application/json;as=Table;v=v1;g=example.com')),
    ),
    caseOf('of YAML', made, get(`${MAPS}/a`, accept('application/yaml'))),
    caseOf('of YAML of a list', made, get(MAPS, accept('application/yaml'))),
    caseOf('of protobuf', made, get(`${MAPS}/a`, accept('application/vnd.kubernetes.protobuf'))),
    caseOf(
      'of protobuf or JSON',
      made,
      get(`${MAPS}/a`, accept('application/vnd.kubernetes.protobuf,application/json')),
    ),
    caseOf('of CBOR', made, get(`${MAPS}/a`, accept('application/cbor'))),
    caseOf('of HTML', made, get(`${MAPS}/a`, accept('text/html'))),
    caseOf('of HTML or anything', made, get(`${MAPS}/a`, accept('text/html,*/*'))),
    caseOf('of anything of application', made, get(`${MAPS}/a`, accept('application/*'))),
    caseOf('of nothing', made, get(`${MAPS}/a`, accept(''))),
    caseOf('that is malformed', made, get(`${MAPS}/a`, accept('application/json;'))),
    caseOf('that is preferred', made, get(`${MAPS}/a`, accept('application/yaml;q=0.9,application/json;q=0.1'))),
    caseOf('that is pretty', made, get(`${MAPS}/a`, accept('application/json;pretty=1'))),
    caseOf('of a failure in YAML', get(`${MAPS}/absent`, accept('application/yaml'))),
    caseOf('of a failure in protobuf', get(`${MAPS}/absent`, accept('application/vnd.kubernetes.protobuf'))),
    caseOf('of a failure in HTML', get(`${MAPS}/absent`, accept('text/html'))),
    caseOf('of pods', post(PODS, pod('a')), get(PODS, accept(TABLE))),
    caseOf('of deployments', post(DEPLOYMENTS, deployment('a')), get(DEPLOYMENTS, accept(TABLE))),
    caseOf('of services', post(SERVICES, service('a', { clusterIP: 'None' })), get(SERVICES, accept(TABLE))),
    caseOf('of secrets', post(SECRETS, { metadata: { name: 'a' }, data: {} }), get(SECRETS, accept(TABLE))),
    caseOf(
      'of a review',
      post('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', { spec: {} }, accept(ONLY_TABLE)),
    ),
    caseOf('of a scale', post(DEPLOYMENTS, deployment('a')), get(`${DEPLOYMENTS}/a/scale`, accept(TABLE))),
    caseOf('of a namespace', get('/api/v1/namespaces/{ns}', accept(TABLE))),
  ],
}
