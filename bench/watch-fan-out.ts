/** One writer, many watchers of the same objects: how many events arrive per second, and how long after the write. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { KubeconfigEntry } from '../src/client/kubeconfig.ts'
import { type ClusterProcess, startCluster } from './cluster-process.ts'
import { openConnection } from './connection.ts'
import { configMap } from './objects.ts'
import type { Figure, Row } from './row.ts'
import { dispersion, percentile } from './statistics.ts'

const WATCHERS = [1, 100, 500]
const EVENTS = { quick: 200, full: 500 }
const ROUNDS = { quick: 1, full: 3 }
const NAMESPACES = '/api/v1/namespaces'
/** Between two looks whether the last event has come, in ms; and how many. */
const LOOK_MS = 2
const LOOKS_MAX = 15_000

interface Round {
  readonly perSecond: number
  /** From sending the write to having its event, at one of the watchers. */
  readonly p50Ms: number
  readonly p99Ms: number
  /** Of the server, per delivery, writes included. */
  readonly cpuUs: number
}

export const watchFanOut: Row = {
  name: 'watch',
  about: 'one writer, 1 / 100 / 500 watchers of the same ConfigMaps, on LevelDB',
  async run({ quick, say }) {
    const figures: Figure[] = []
    await using cluster = await startCluster({ runtime: 'simulated', nodes: 0, data: 'disk' })
    const credentials = await cluster.credentials()
    const events = quick ? EVENTS.quick : EVENTS.full
    await fanOut(cluster, credentials, { namespace: 'warm-up', watchers: 10, events })
    for (const watchers of WATCHERS) {
      const rounds: Round[] = []
      for (let round = 0; round < (quick ? ROUNDS.quick : ROUNDS.full); round++)
        rounds.push(await fanOut(cluster, credentials, { namespace: `watched-${watchers}-${round}`, watchers, events }))
      say(`watch, ${watchers} watchers: ${rounds.map(({ perSecond }) => perSecond.toFixed(0)).join(' ')} deliveries/s`)
      figures.push(...figuresOf(watchers, rounds))
    }
    return figures
  },
}

interface FanOut {
  readonly namespace: string
  readonly watchers: number
  readonly events: number
}

async function fanOut(
  cluster: ClusterProcess,
  credentials: KubeconfigEntry,
  { namespace, watchers, events }: FanOut,
): Promise<Round> {
  using connections = new DisposableStack()
  const writer = connections.use(await openConnection(credentials))
  const body = JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
  await writer.send({ method: 'POST', path: NAMESPACES, body })
  const path = `${NAMESPACES}/${namespace}/configmaps`
  const arrivals: number[] = []
  let deliveries = 0
  for (let index = 0; index < watchers; index++) {
    const connection = connections.use(await openConnection(credentials))
    const eventsIn = eventCounter()
    connection.stream({ method: 'GET', path: `${path}?watch=true` }, (piece) => {
      const count = eventsIn(piece)
      deliveries += count
      if (index === 0) for (let event = 0; event < count; event++) arrivals.push(performance.now())
    })
  }
  // What the namespace itself brings comes before the first write that counts.
  await sleep(500)
  deliveries = 0
  arrivals.length = 0
  const sent: number[] = []
  const cpuBefore = cluster.process.cpuMs()
  const startedAt = performance.now()
  for (let index = 0; index < events; index++) {
    sent.push(performance.now())
    await writer.send({ method: 'POST', path, body: configMap(`event-${index}`) })
  }
  for (let looks = 0; deliveries < watchers * events && looks < LOOKS_MAX; looks++) await sleep(LOOK_MS)
  const tookMs = performance.now() - startedAt
  if (deliveries !== watchers * events) throw new Error(`${deliveries} of ${watchers * events} events arrived`)
  const latencies = arrivals.map((at, index) => at - (sent[index] ?? Number.NaN)).sort((left, right) => left - right)
  return {
    perSecond: (deliveries / tookMs) * 1_000,
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
    cpuUs: ((cluster.process.cpuMs() - cpuBefore) / deliveries) * 1_000,
  }
}

const CLOSING_BRACE = '}'.charCodeAt(0)
const NEWLINE = '\n'.charCodeAt(0)
const LINE_END = Buffer.from('}\n')

/** Counts lines of JSON in a stream that may be cut anywhere. */
function eventCounter(): (piece: Buffer) => number {
  let last = 0
  return (piece) => {
    let count = last === CLOSING_BRACE && piece[0] === NEWLINE ? 1 : 0
    for (let at = piece.indexOf(LINE_END); at >= 0; at = piece.indexOf(LINE_END, at + LINE_END.length)) count++
    last = piece.at(-1) ?? last
    return count
  }
}

function figuresOf(watchers: number, rounds: readonly Round[]): readonly Figure[] {
  const name = `${watchers} watchers`
  const of = (pick: (round: Round) => number) => dispersion(rounds.map(pick))
  return [
    { name: `${name}: deliveries`, unit: '1/s', direction: 'higher', ...of(({ perSecond }) => perSecond) },
    { name: `${name}: write to event, p50`, unit: 'ms', direction: 'lower', ...of(({ p50Ms }) => p50Ms) },
    { name: `${name}: write to event, p99`, unit: 'ms', direction: 'lower', ...of(({ p99Ms }) => p99Ms) },
    { name: `${name}: CPU of the server per delivery`, unit: 'µs', direction: 'lower', ...of(({ cpuUs }) => cpuUs) },
  ]
}
