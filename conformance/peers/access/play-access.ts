/** Who may do what: every subject, every resource and subresource, the usual verbs, and some paths. */

import { readFacts } from '../../../openapi/facts.ts'
import { parsedBody } from '../answer.ts'
import type { Answer, Peer } from '../peer.ts'
import { inParallel, makeNamespace, type Peers, type Played, requestOf } from '../play.ts'
import { type Difference, differencesOf, valueAt } from '../values.ts'
import { ACCESS_NAMESPACE, accountOf, PEOPLE_ROLES, type Subject, subjects } from './subjects.ts'

const REVIEWS = '/apis/authorization.k8s.io/v1/subjectaccessreviews'
const VERBS = ['get', 'list', 'create', 'patch', 'delete']
const PATHS = [
  '/healthz',
  '/version',
  '/api',
  '/openapi/v2',
  '/metrics',
  '/logs/a',
  '/.well-known/openid-configuration',
  '/',
]
/** Reviews that each server is asked for at the same time. */
const AT_ONCE = 12

export async function playAccess(peers: Peers, filter: string): Promise<readonly Played[]> {
  const asked = subjects().filter(({ user }) => `access ${user}`.includes(filter))
  if (asked.length === 0) return []
  await makeNamespace(peers, ACCESS_NAMESPACE)
  for (const role of PEOPLE_ROLES)
    for (const peer of [peers.upstream, peers.t8s]) await peer.send(requestOf(bindingOf(role), new Map()))
  const questions = asked.flatMap((subject) => questionsOf().map((question) => ({ subject, ...question })))
  return inParallel(questions, AT_ONCE, ({ subject, name, attributes }) => ask(peers, subject, name, attributes))
}

function bindingOf(role: string) {
  const url = `/apis/rbac.authorization.k8s.io/v1/namespaces/${ACCESS_NAMESPACE}/rolebindings`
  const body = {
    metadata: { name: accountOf(role) },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
    subjects: [{ kind: 'ServiceAccount', namespace: ACCESS_NAMESPACE, name: accountOf(role) }],
  }
  return { send: `POST ${url}`, body }
}

interface Question {
  readonly name: string
  /** One review for each. */
  readonly attributes: readonly object[]
}

function questionsOf(): readonly Question[] {
  const resources = readFacts().resources.flatMap(({ gv, resource, scope, sub = {}, profile }) => {
    if (profile === 'all') return []
    const group = gv.includes('/') ? gv.slice(0, gv.indexOf('/')) : ''
    const namespace = scope === 'Namespaced' ? ACCESS_NAMESPACE : ''
    return ['', ...Object.keys(sub)].map((subresource) => ({
      name: [gv, resource, subresource].filter(Boolean).join(' '),
      attributes: VERBS.map((verb) => ({ resourceAttributes: { verb, group, resource, subresource, namespace } })),
    }))
  })
  const paths = PATHS.map((path) => ({
    name: path,
    attributes: ['get', 'post'].map((verb) => ({ nonResourceAttributes: { path, verb } })),
  }))
  return [...resources, ...paths]
}

/** Without the reason: of several roles that allow it, either server names the one it happens to find first. */
function verdictOf(answer: Answer): unknown {
  const body = parsedBody(answer)
  const parts = ['allowed', 'denied', 'evaluationError'].map((part) => [part, valueAt(body, `status.${part}`)])
  return { code: answer.status, ...Object.fromEntries(parts) }
}

async function ask(
  peers: Peers,
  { user, groups }: Subject,
  name: string,
  attributes: readonly object[],
): Promise<Played> {
  const differences: Difference[] = []
  for (const [index, attribute] of attributes.entries()) {
    const send = (peer: Peer) =>
      peer.send(requestOf({ send: `POST ${REVIEWS}`, body: { spec: { user, groups, ...attribute } } }, new Map()))
    const [upstream, t8s] = await Promise.all([send(peers.upstream), send(peers.t8s)])
    const found = differencesOf('verdict', verdictOf(upstream), verdictOf(t8s))
    differences.push(...found.map((difference) => ({ ...difference, where: `${index + 1}: ${difference.where}` })))
  }
  return { group: 'access', name: `access ${user} in ${groups.join(', ') || 'no group'}: ${name}`, differences }
}
