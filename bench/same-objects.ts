/**
 * Whether both sides make the same of the same manifests: one object of each kind that is measured is created on both,
 * and compared without identifiers, times and revisions, by the rules of the comparison with upstream. Where something
 * differs, the scenarios that measure such objects are void.
 */

import { answerDifferences } from '../conformance/peers/answer.ts'
import { connectPeer, type Peer } from '../conformance/peers/peer.ts'
import { openConnection } from './connection.ts'
import { configMap, node, pod, realisticPod } from './objects.ts'
import type { Programs } from './prepare.ts'
import { anchor } from './sides/anchor.ts'
import type { RunningSide } from './sides/side.ts'
import { t8s } from './sides/t8s.ts'
import { accountReady } from './world.ts'

interface Specimen {
  readonly kind: string
  readonly method: 'POST' | 'PATCH'
  readonly path: string
  readonly body: string
  readonly contentType?: string
  /** The names of scenarios that measure it begin so. */
  readonly scenarios: readonly string[]
}

const PODS = '/api/v1/namespaces/default/pods'
const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps'
const WITH_PODS = [
  'crud',
  'user',
  'open-loop',
  'lists',
  'storm',
  'first-pod',
  'scheduling',
  'cores',
  'informers',
  'kubectl',
]
const WITH_MAPS = ['crud', 'watches', 'namespace', 'volume', 'growth', 'cores', 'kubectl']
const template = {
  metadata: { labels: { app: 'web' } },
  spec: { containers: [{ name: 'main', image: 'registry.example/web:1' }] },
}

const merge = 'application/merge-patch+json'
const SPECIMENS: readonly Specimen[] = [
  { kind: 'Pod', method: 'POST', path: PODS, body: pod('one', 'nobody'), scenarios: WITH_PODS },
  { kind: 'large Pod', method: 'POST', path: PODS, body: realisticPod('large'), scenarios: ['write-throughput'] },
  { kind: 'ConfigMap', method: 'POST', path: CONFIG_MAPS, body: configMap('one'), scenarios: WITH_MAPS },
  { kind: 'Node', method: 'POST', path: '/api/v1/nodes', body: node('one'), scenarios: ['scheduling', 'cores'] },
  {
    kind: 'Namespace',
    method: 'POST',
    path: '/api/v1/namespaces',
    body: JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'one' } }),
    scenarios: ['namespace', 'growth'],
  },
  {
    kind: 'Deployment',
    method: 'POST',
    path: '/apis/apps/v1/namespaces/default/deployments',
    // Of no replicas: what controllers do with it is theirs.
    body: JSON.stringify({
      ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'one' } },
      spec: { replicas: 0, selector: { matchLabels: { app: 'web' } }, template },
    }),
    scenarios: ['deployment', 'kubectl'],
  },
  {
    kind: 'applied ConfigMap',
    method: 'PATCH',
    path: `${CONFIG_MAPS}/applied?fieldManager=bench`,
    contentType: 'application/apply-patch+yaml',
    body: configMap('applied'),
    scenarios: ['crud'],
  },
  {
    kind: 'applied Pod',
    method: 'PATCH',
    path: `${PODS}/applied?fieldManager=bench`,
    contentType: 'application/apply-patch+yaml',
    body: pod('applied', 'nobody'),
    scenarios: ['crud'],
  },
  {
    kind: 'patched Pod',
    method: 'PATCH',
    path: `${PODS}/one`,
    contentType: merge,
    body: '{"metadata":{"labels":{"patched":"yes"}}}',
    scenarios: ['crud', 'write-throughput'],
  },
]

export interface Sameness {
  /** What is the same, and a line for each kind that is not. */
  readonly proofs: readonly string[]
  isVoid(scenario: string): boolean
}

export async function compareObjects(programs: Programs): Promise<Sameness> {
  await using ours = await t8s.start({})
  await using theirs = await anchor('default', programs).start({})
  for (const { access } of [ours, theirs]) {
    using connection = await openConnection(access.credentials)
    await accountReady(connection)
  }
  using t8sPeer = peerOf('t8s', ours)
  using upstream = peerOf('upstream', theirs)
  const differing: Specimen[] = []
  const proofs: string[] = []
  for (const specimen of SPECIMENS) {
    const found = await differencesOf(specimen, upstream, t8sPeer)
    if (found.length === 0) continue
    differing.push(specimen)
    proofs.push(`${specimen.kind}: the objects differ: ${found.join('; ')}`)
  }
  const same = SPECIMENS.filter((specimen) => !differing.includes(specimen)).map(({ kind }) => kind)
  return {
    proofs: [`the same objects of the same manifests: ${same.join(', ')}`, ...proofs],
    isVoid: (scenario) => differing.some(({ scenarios }) => scenarios.some((start) => scenario.startsWith(start))),
  }
}

function peerOf(name: Peer['name'], { access }: RunningSide): Peer & Disposable {
  const { server, certificateAuthority, clientCertificate, clientKey } = access.credentials
  const admin = { certificate: clientCertificate, key: clientKey }
  return connectPeer({ name, port: Number(new URL(server).port), authority: certificateAuthority, admin })
}

async function differencesOf(specimen: Specimen, upstream: Peer, t8sPeer: Peer): Promise<readonly string[]> {
  const { method, path: url, contentType = 'application/json' } = specimen
  const body = Buffer.from(specimen.body.replaceAll('{c}', '7'))
  const headers = { accept: 'application/json', 'content-type': contentType, 'user-agent': 't8s-bench' }
  const request = { method, url, headers, body, anonymous: false }
  const [theirs, ours] = [await upstream.send(request), await t8sPeer.send(request)]
  if (theirs.status >= 300) return [`${theirs.status} ${theirs.body.toString().slice(0, 300)}`]
  return answerDifferences(theirs, ours).map(
    ({ where, upstream: left, t8s: right }) => `${where}: ${JSON.stringify(left)} there, ${JSON.stringify(right)} here`,
  )
}
