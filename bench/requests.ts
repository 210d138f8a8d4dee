/** Single objects and lists through HTTPS, on the store in memory and on the durable one. */

import type { KubeconfigEntry } from '../src/client/kubeconfig.ts'
import { type ClusterProcess, startCluster } from './cluster-process.ts'
import { drive, type Load, type LoadResult, loadFigures } from './load.ts'
import { configMap, pod } from './objects.ts'
import type { Figure, Row } from './row.ts'

const ROUNDS = { quick: 1, full: 5 }
const CALLS = { quick: 1_000, full: 2_000 }
const LISTS = 20
/** Nobody schedules these pods: the server is measured and nothing else. */
const NOBODY = 'nobody'
const PODS_PATH = '/api/v1/namespaces/default/pods'
const CONFIG_MAPS_PATH = '/api/v1/namespaces/default/configmaps'

/** In this order, as later loads read what earlier ones wrote. `round` keeps names apart. */
function loads(calls: number): readonly (readonly [string, (round: number) => Load])[] {
  const create = (workers: number) => (round: number) => ({
    calls,
    workers,
    call: (index: number) =>
      ({ method: 'POST', path: PODS_PATH, body: pod(`pod-${workers}-${round}-${index}`, NOBODY) }) as const,
  })
  return [
    ['create Pod, c=1', create(1)],
    ['create Pod, c=10', create(10)],
    ['create Pod, c=100', create(100)],
    [
      'create ConfigMap, c=10',
      (round) => ({
        calls,
        workers: 10,
        call: (index) => ({ method: 'POST', path: CONFIG_MAPS_PATH, body: configMap(`map-${round}-${index}`) }),
      }),
    ],
    [
      'get Pod, c=10',
      (round) => ({
        calls: calls * 2,
        workers: 10,
        call: (index) => ({ method: 'GET', path: `${PODS_PATH}/pod-10-${round}-${index % calls}` }),
      }),
    ],
    [
      'merge-patch Pod label, c=10',
      (round) => ({
        calls,
        workers: 10,
        call: (index) => ({
          method: 'PATCH',
          path: `${PODS_PATH}/pod-10-${round}-${index}`,
          contentType: 'application/merge-patch+json',
          body: `{"metadata":{"labels":{"patched":"${round}"}}}`,
        }),
      }),
    ],
    ['list 1,000 pods, c=1', () => ({ calls: LISTS, workers: 1, call: listOf('') })],
    ['list by label, no match, c=10', () => ({ calls, workers: 10, call: listOf('&labelSelector=app%3Dnone') })],
  ]
}

function listOf(more: string) {
  return () => ({ method: 'GET', path: `${PODS_PATH}?limit=1000${more}` }) as const
}

export const requests: Row = {
  name: 'requests',
  about: 'create, get, patch and list through HTTPS, on memory and on LevelDB',
  async run({ quick, say }) {
    const figures: Figure[] = []
    for (const data of ['memory', 'disk'] as const) {
      await using cluster = await startCluster({ runtime: 'simulated', nodes: 0, data })
      const credentials = await cluster.credentials()
      await warmUp(cluster, credentials)
      const rounds = quick ? ROUNDS.quick : ROUNDS.full
      for (const [name, load] of loads(quick ? CALLS.quick : CALLS.full)) {
        const results: LoadResult[] = []
        for (let round = 0; round < rounds; round++) results.push(await drive(cluster, credentials, load(round)))
        say(`${data}: ${name}: ${results.map(({ perSecond }) => perSecond.toFixed(0)).join(' ')} per second`)
        figures.push(...loadFigures(`${data}: ${name}`, results))
      }
    }
    return figures
  },
}

async function warmUp(cluster: ClusterProcess, credentials: KubeconfigEntry): Promise<void> {
  const path = CONFIG_MAPS_PATH
  await drive(cluster, credentials, {
    calls: 1_000,
    workers: 10,
    call: (index) => ({ method: 'POST', path, body: configMap(`warm-${index}`) }),
  })
  await drive(cluster, credentials, {
    calls: 1_000,
    workers: 10,
    call: (index) => ({ method: 'GET', path: `${path}/warm-${index}` }),
  })
}
