/** What the server says about itself: discovery in both forms, OpenAPI, version, health. */

import { readFacts } from '../../../openapi/facts.ts'
import { accept, caseOf, get, type Theme } from '../case.ts'

const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
const OLD_AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList'

const served = readFacts().groups.filter((group) => group.default.length > 0)
const groups = served.filter(({ group }) => group !== '')
const versionPaths = served.flatMap(({ group, default: versions }) =>
  versions.map((version) => (group === '' ? `/api/${version}` : `/apis/${group}/${version}`)),
)

export const discovery: Theme = {
  theme: 'discovery',
  cases: [
    caseOf('of the core group', get('/api')),
    caseOf('of the groups', get('/apis')),
    ...groups.map(({ group }) => caseOf(`of ${group}`, get(`/apis/${group}`))),
    ...versionPaths.map((path) => caseOf(`of ${path}`, get(path))),
    caseOf('of the core group, aggregated', get('/api', accept(AGGREGATED))),
    caseOf('of the groups, aggregated', get('/apis', accept(AGGREGATED))),
    caseOf('of the groups, aggregated in the old form', get('/apis', accept(OLD_AGGREGATED))),
    caseOf('of the groups, aggregated if possible', get('/apis', accept(`${AGGREGATED},application/json`))),
    caseOf(
      'of the groups, aggregated in an unknown form',
      get('/apis', accept('application/json;g=apidiscovery.k8s.io;v=v9;as=APIGroupDiscoveryList')),
    ),
    caseOf('of a version, aggregated', get('/apis/apps/v1', accept(AGGREGATED))),
    caseOf('in YAML', get('/apis/apps', accept('application/yaml'))),
    caseOf('in protobuf', get('/apis/apps', accept('application/vnd.kubernetes.protobuf'))),
    caseOf('as a table', get('/apis/apps/v1', accept('application/json;as=Table;v=v1;g=meta.k8s.io'))),
    caseOf('in HTML', get('/apis', accept('text/html'))),
    caseOf('with a slash at the end', get('/api/'), get('/apis/'), get('/apis/apps/'), get('/apis/apps/v1/')),
  ],
}

/** Descriptions come from elsewhere; which there are is counted when they are gathered. */
const structure = { compare: 'structure' } as const

export const openApi: Theme = {
  theme: 'OpenAPI',
  cases: [
    caseOf('version 2', get('/openapi/v2', structure)),
    caseOf(
      'version 2 in protobuf',
      get('/openapi/v2', accept('application/com.github.proto-openapi.spec.v2@v1.0+protobuf')),
    ),
    caseOf('version 2 in YAML', get('/openapi/v2', accept('application/yaml'))),
    caseOf('version 3, its list', get('/openapi/v3')),
    caseOf('version 3 of core', get('/openapi/v3/api/v1', structure)),
    ...versionPaths.map((path) => caseOf(`version 3 of ${path}`, get(`/openapi/v3${path}`, structure))),
    ...groups.map(({ group }) => caseOf(`version 3 of ${group}`, get(`/openapi/v3/apis/${group}`, structure))),
    caseOf(
      'version 3 of the rest',
      get('/openapi/v3/version', structure),
      get('/openapi/v3/api', structure),
      get('/openapi/v3/apis', structure),
      get('/openapi/v3/logs'),
    ),
    caseOf('version 3 of what is not there', get('/openapi/v3/apis/nothing.example.com/v1')),
    caseOf('version 3 with a wrong hash', get('/openapi/v3/apis/apps/v1?hash=0')),
    caseOf('version 3 in YAML', get('/openapi/v3/apis/apps/v1', accept('application/yaml'))),
    caseOf('that is not there', get('/openapi/v1'), get('/swagger.json'), get('/openapi')),
  ],
}

export const paths: Theme = {
  theme: 'path',
  cases: [
    caseOf('of the root', get('/')),
    caseOf('of the version', get('/version')),
    caseOf('of health', get('/healthz'), get('/livez'), get('/readyz'), get('/healthz/ping'), get('/livez/ping')),
    caseOf(
      'of health in detail',
      get('/livez?verbose', { compare: 'status' }),
      get('/readyz?verbose', { compare: 'status' }),
      get('/healthz?exclude=ping', { compare: 'status' }),
    ),
    caseOf('of health that is not there', get('/healthz/nothing'), get('/livez/nothing')),
    caseOf('of metrics', get('/metrics', { compare: 'status' })),
    caseOf(
      'of tokens',
      get('/.well-known/openid-configuration', { compare: 'status' }),
      get('/openid/v1/jwks', { compare: 'status' }),
    ),
    caseOf('of logs', get('/logs/', { compare: 'status' })),
    caseOf('of profiles', get('/debug/pprof/', { compare: 'status' })),
    caseOf('of flags', get('/flagz', { compare: 'status' }), get('/statusz', { compare: 'status' })),
    caseOf(
      'that is encoded',
      get('/api/v1/namespaces/default%2Fx/configmaps'),
      get('/api/v1/namespaces/%zz/configmaps'),
    ),
    caseOf('with dots', get('/api/v1/../v1/namespaces/absent'), get('/api/./v1/namespaces/absent')),
  ],
}
