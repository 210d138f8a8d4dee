/** The corpus, played: every changed object to both servers as a dry run, as a new object and as a change of one. */

import { answerDifferences, parsedBody } from '../answer.ts'
import type { Comparison } from '../case.ts'
import type { Answer, Peer } from '../peer.ts'
import { inParallel, makeNamespace, type Peers, type Played, requestOf } from '../play.ts'
import { isRecord, valueAt } from '../values.ts'
import { type Kind, servedKinds } from './kinds.ts'
import { type Mutation, mutated, mutationsOf, pathText } from './mutations.ts'
import { baseObjects } from './objects.ts'

const NAMESPACE = 'corpus'
const CONFLICT = 409
/** Requests to each server at the same time. */
const AT_ONCE = 8
/** Looked into deeply: their pod specs stand for those of all others. */
const DEEP: ReadonlySet<string> = new Set(['Pod', 'PodTemplate'])

export async function playCorpus(peers: Peers, filter: string): Promise<readonly Played[]> {
  const kinds = servedKinds().filter(
    ({ group, kind }) => filter === '' || `corpus ${group || 'core'} ${kind}`.includes(filter),
  )
  if (kinds.length === 0) return []
  await makeNamespace(peers, NAMESPACE)
  const played: Played[] = []
  for (const kind of kinds)
    for (const [index, base] of baseObjects(kind).entries()) played.push(...(await playBase(peers, kind, base, index)))
  return played
}

interface Scene {
  readonly kind: Kind
  readonly name: string
}

async function playBase(peers: Peers, kind: Kind, base: object, index: number): Promise<readonly Played[]> {
  const label = `corpus ${kind.group || 'core'} ${kind.kind}${index === 0 ? '' : ` ${index + 1}`}`
  const create = { kind, name: `${label}: create` }
  const fields = (name: string) => !['apiVersion', 'kind', 'metadata', 'status'].includes(name)
  const options = { deep: DEEP.has(kind.kind) && index === 0, fields }
  const mutations = mutationsOf(kind.definition, base, options)
  const accepted = await sendBoth(peers, create, 'as it is', (peer) => post(peer, kind, base, kind.stored))
  const changed = await inParallel(mutations, AT_ONCE, (mutation) =>
    sendBoth(peers, create, nameOf(mutation), (peer) => post(peer, kind, mutated(base, mutation), kind.stored)),
  )
  const updated = kind.stored ? await playUpdates(peers, { kind, name: label }, base) : []
  return [accepted, ...changed, ...updated]
}

/** Changes of an object that is there, each side's own: addresses, for one, are not the same. */
async function playUpdates(peers: Peers, { kind, name }: Scene, base: object): Promise<readonly Played[]> {
  const made = {
    upstream: await post(peers.upstream, kind, base, false),
    t8s: await post(peers.t8s, kind, base, false),
  }
  if (made.upstream.status !== 201 || made.t8s.status !== 201) return []
  const objects = { upstream: parsedBody(made.upstream), t8s: parsedBody(made.t8s) }
  const update = { kind, name: `${name}: update` }
  const fields = (field: string) => !['apiVersion', 'kind', 'metadata', 'status'].includes(field)
  const mutations = mutationsOf(kind.definition, objects.upstream, { deep: false, fields })
  const played = await inParallel(mutations, AT_ONCE, (mutation) =>
    sendBoth(
      peers,
      update,
      nameOf(mutation),
      (peer) => change(peer, kind, objects[peer.name], mutation, ''),
      'uncontrolled',
    ),
  )
  const statuses = kind.hasStatus ? await playStatuses(peers, { kind, name }, objects) : []
  for (const peer of [peers.upstream, peers.t8s]) await remove(peer, kind, objects[peer.name])
  return [...played, ...statuses]
}

async function playStatuses(peers: Peers, { kind, name }: Scene, objects: Readonly<Record<Peer['name'], unknown>>) {
  const update = { kind, name: `${name}: status` }
  const options = { deep: false, fields: (field: string) => field === 'status' }
  return inParallel(mutationsOf(kind.definition, objects.upstream, options), AT_ONCE, (mutation) =>
    sendBoth(peers, update, nameOf(mutation), (peer) => change(peer, kind, objects[peer.name], mutation, '/status')),
  )
}

function nameOf({ path, change }: Mutation): string {
  return `${pathText(path)} ${change}`
}

async function sendBoth(
  peers: Peers,
  scene: Scene,
  name: string,
  send: (peer: Peer) => Promise<Answer>,
  compare?: Comparison,
): Promise<Played> {
  const [upstream, t8s] = await Promise.all([send(peers.upstream), send(peers.t8s)])
  const group = `corpus ${scene.kind.group || 'core'}`
  return { group, name: `${scene.name}: ${name}`, differences: answerDifferences(upstream, t8s, compare) }
}

function post(peer: Peer, kind: Kind, object: unknown, dry: boolean): Promise<Answer> {
  const url = `${kind.url(NAMESPACE)}${dry ? '?dryRun=All' : ''}`
  return peer.send(requestOf({ send: `POST ${url}`, body: object }, new Map()))
}

/** Some kinds have a controller within the API server: when it was faster, the same is sent for the version it left. */
async function change(
  peer: Peer,
  kind: Kind,
  object: unknown,
  mutation: Mutation,
  subresource: string,
): Promise<Answer> {
  const first = await put(peer, kind, mutated(object, mutation), subresource)
  if (first.status !== CONFLICT) return first
  const url = `${kind.url(NAMESPACE)}/${String(valueAt(object, 'metadata.name'))}`
  const fresh = parsedBody(await peer.send(requestOf({ send: `GET ${url}` }, new Map())))
  return put(peer, kind, mutated(withVersionOf(object, fresh), mutation), subresource)
}

function withVersionOf(object: unknown, fresh: unknown): unknown {
  const resourceVersion = valueAt(fresh, 'metadata.resourceVersion')
  return isRecord(object) ? { ...object, metadata: { ...toRecord(object.metadata), resourceVersion } } : object
}

function put(peer: Peer, kind: Kind, object: unknown, subresource: string): Promise<Answer> {
  const url = `${kind.url(NAMESPACE)}/${String(valueAt(object, 'metadata.name'))}${subresource}?dryRun=All`
  return peer.send(requestOf({ send: `PUT ${url}`, body: withoutManagers(object) }, new Map()))
}

async function remove(peer: Peer, kind: Kind, object: unknown): Promise<void> {
  const url = `${kind.url(NAMESPACE)}/${String(valueAt(object, 'metadata.name'))}?gracePeriodSeconds=0`
  await peer.send(requestOf({ send: `DELETE ${url}` }, new Map()))
}

/** An update need not carry them, and without them the answers are shorter. */
function withoutManagers(object: unknown): unknown {
  return isRecord(object) ? { ...object, metadata: { ...toRecord(object.metadata), managedFields: [{}] } } : object
}

function toRecord(value: unknown): object {
  return isRecord(value) ? value : {}
}
