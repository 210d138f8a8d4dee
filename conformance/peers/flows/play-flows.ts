/** Which flow schema and level a request belongs to, as its answer tells; the limits of levels; the dumps. */

import { parsedBody } from '../answer.ts'
import type { Answer, Peer } from '../peer.ts'
import { inParallel, type Peers, type Played, requestOf } from '../play.ts'
import { differencesOf, isRecord, valueAt } from '../values.ts'
import { FLOW_LEVELS, FLOW_SCHEMAS } from './flow-objects.ts'

const API = '/apis/flowcontrol.apiserver.k8s.io/v1'
const AUTHENTICATED = 'system:authenticated'

const CALLERS: readonly (readonly [string, readonly string[]])[] = [
  ['system:anonymous', ['system:unauthenticated']],
  ['jane', [AUTHENTICATED]],
  ['tie', [AUTHENTICATED]],
  ['root', ['system:masters', AUTHENTICATED]],
  ['system:kube-scheduler', [AUTHENTICATED]],
  ['system:kube-controller-manager', [AUTHENTICATED]],
  ['system:node:node-1', ['system:nodes', AUTHENTICATED]],
  ...['kube-system:a', 'default:a', 'flows-a:bot', 'flows-a:other', 'flows-b:a'].map(
    (name) => [`system:serviceaccount:${name}`, ['system:serviceaccounts', AUTHENTICATED]] as const,
  ),
]

const LEASES = '/apis/coordination.k8s.io/v1/namespaces/flows-a/leases'
const REQUESTS = [
  ...['GET /livez', 'GET /readyz/ping', 'POST /livez', 'GET /version', 'GET /version/a', 'GET /openapi/v2', 'GET /api'],
  ...['GET /api/v1/namespaces/flows-a/pods', 'GET /api/v1/namespaces/flows-b/pods', 'GET /api/v1/pods'],
  ...['GET /api/v1/namespaces/flows-a/pods/a/status', 'DELETE /api/v1/namespaces/flows-a/pods/a'],
  ...['GET /api/v1/namespaces/flows-a/secrets/a', 'GET /api/v1/namespaces/flows-a/services/a'],
  ...['GET /api/v1/namespaces/flows-a/endpoints/a', 'GET /api/v1/namespaces/flows-a/configmaps'],
  ...['GET /api/v1/namespaces/flows-a/configmaps/a', 'GET /api/v1/nodes/a', 'PATCH /api/v1/nodes/a/status'],
  ...[`GET ${LEASES}/a`, `PUT ${LEASES}/a`, `DELETE ${LEASES}/a`, `GET ${LEASES}?watch=1&timeoutSeconds=1`],
]

/** Requests that each server is asked for at the same time. */
const AT_ONCE = 8
/** Tries, a tenth of a second apart, until a server uses what was written. */
const TRIES = 300

export async function playFlows(peers: Peers, filter: string): Promise<readonly Played[]> {
  if (!'flows'.includes(filter) && !filter.startsWith('flows')) return []
  const both = [peers.upstream, peers.t8s]
  await Promise.all(both.map(makeObjects))
  const rows = CALLERS.flatMap(([user, groups]) => REQUESTS.map((send) => ({ user, groups, send })))
  const classified = await inParallel(rows, AT_ONCE, async ({ user, groups, send }) => {
    const [upstream, t8s] = await Promise.all(both.map((peer) => classOf(peer, user, groups, send)))
    return { group: 'flows', name: `flows ${user} ${send}`, differences: differencesOf('class', upstream, t8s) }
  })
  const [upstream, t8s] = await Promise.all(both.map(shownBy))
  const shown = { group: 'flows', name: 'flows: limits and dumps', differences: differencesOf('shown', upstream, t8s) }
  await Promise.all(both.map(removeObjects))
  return [...classified, shown]
}

function send(peer: Peer, line: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer> {
  return peer.send(requestOf({ send: line, body, headers }, new Map()))
}

/** An array for the groups would be one header with commas: only those that fit into one are played. */
function as(peer: Peer, user: string, groups: readonly string[], line: string): Promise<Answer> {
  const [group = ''] = groups
  const method = line.slice(0, line.indexOf(' '))
  const body = method === 'PUT' || method === 'PATCH' || method === 'POST' ? {} : undefined
  return send(peer, line, body, { 'impersonate-user': user, 'impersonate-group': group })
}

async function makeObjects(peer: Peer): Promise<void> {
  const made = [
    ...FLOW_LEVELS.map(({ name, spec }) => ['prioritylevelconfigurations', { metadata: { name }, spec }] as const),
    ...FLOW_SCHEMAS.map(({ name, spec }) => ['flowschemas', { metadata: { name }, spec }] as const),
  ]
  for (const [resource, object] of made) {
    const { status, body } = await send(peer, `POST ${API}/${resource}`, object)
    if (status !== 201) throw new Error(`${peer.name} does not make ${object.metadata.name}: ${body.toString()}`)
  }
  for (let tries = 0; tries < TRIES; tries++) {
    const found = await classOf(
      peer,
      'system:serviceaccount:flows-b:a',
      [AUTHENTICATED],
      'GET /api/v1/namespaces/a/pods',
    )
    if (found.schema === 'flows-accounts') return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`${peer.name} does not use what was written`)
}

async function removeObjects(peer: Peer): Promise<void> {
  for (const { name } of FLOW_SCHEMAS) await send(peer, `DELETE ${API}/flowschemas/${name}`)
  for (const { name } of FLOW_LEVELS) await send(peer, `DELETE ${API}/prioritylevelconfigurations/${name}`)
}

/** Names, from the UIDs that an answer carries. */
async function classOf(peer: Peer, user: string, groups: readonly string[], line: string) {
  const { headers } = await as(peer, user, groups, line)
  const uids = [headers['x-kubernetes-pf-flowschema-uid'], headers['x-kubernetes-pf-prioritylevel-uid']]
  const [schema, level] = await Promise.all([
    nameOf(peer, 'flowschemas', uids[0]),
    nameOf(peer, 'prioritylevelconfigurations', uids[1]),
  ])
  return { schema, level }
}

async function nameOf(peer: Peer, resource: string, uid: unknown): Promise<unknown> {
  const items = valueAt(parsedBody(await send(peer, `GET ${API}/${resource}`)), 'items')
  const found = Array.isArray(items) ? items.find((item) => valueAt(item, 'metadata.uid') === uid) : undefined
  return isRecord(found) ? valueAt(found, 'metadata.name') : `nobody's: ${String(uid)}`
}

const LIMITS = /^apiserver_flowcontrol_(?:nominal|lower|upper)_limit_seats\{priority_level="(.*)"\}.*$/gm

/** What does not depend on what else was asked. */
async function shownBy(peer: Peer) {
  const metrics = (await send(peer, 'GET /metrics')).body.toString()
  const dump = async (name: string) => {
    const { headers, body } = await send(peer, `GET /debug/api_priority_and_fairness/dump_${name}`)
    return { type: headers['content-type'], lines: body.toString().trimEnd().split('\n') }
  }
  const cells = (lines: readonly string[]) => lines.map((line) => line.split(/,\s*/))
  const [levels, queues, requests] = [await dump('priority_levels'), await dump('queues'), await dump('requests')]
  const detailed = await dump('requests?includeRequestDetails=1')
  const shown = [...metrics.matchAll(LIMITS)]
  const items = valueAt(parsedBody(await send(peer, `GET ${API}/prioritylevelconfigurations`)), 'items')
  const names = Array.isArray(items) ? items.map((item) => valueAt(item, 'metadata.name')) : []
  return {
    // Other cases leave levels behind, which upstream forgets when they have come to rest.
    limits: shown.flatMap(([line, level]) => (names.includes(level) ? [line] : [])).sort(),
    levels: { type: levels.type, columns: cells(levels.lines)[0], names: cells(levels.lines).map(([name]) => name) },
    queues: { columns: cells(queues.lines)[0], count: queues.lines.length },
    requests: cells(requests.lines)[0],
    detailed: cells(detailed.lines)[0],
  }
}
