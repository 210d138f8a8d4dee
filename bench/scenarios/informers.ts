/** E3: client-go's own informers, which decode and keep what they receive: until they have synced, and under changes. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { createInterface } from 'node:readline'
import { runJob } from '../generator.ts'
import { pod } from '../objects.ts'
import { BEST_TUNING, onSides } from '../on-sides.ts'
import type { Sample, ScenarioParts } from '../scenario.ts'
import { prepared } from './measure.ts'

const PODS = '/api/v1/namespaces/default/pods'
const COUNT = { quick: 2_000, full: 10_000 }
const FEW = 10
const PATCHES = { quick: 500, full: 1_000 }
/** What both sides keep up with, so that ages are those of deliveries and not of a queue. */
const RATE = 250
const MICRO = 1_000

interface Synced {
  readonly syncMs: number
  readonly objects: number
}

interface Updated {
  readonly deliveries: number
  readonly seconds: number
  readonly p50: number
  readonly p99: number
  readonly clientCpuMs: number
}

export const informers = onSides({
  name: 'informers',
  about: 'E3: informers of client-go on 10,000 pods: until they have synced, and 250 changes a second to ten of them',
  wish: {},
  tunings: BEST_TUNING,
  roundsMax: 3,
  async run(parts) {
    const [count, patches] = parts.quick ? [COUNT.quick, PATCHES.quick] : [COUNT.full, PATCHES.full]
    await prepared(parts, { method: 'POST', path: PODS, body: pod('pod-{i}', 'nobody') }, count)
    return {
      [`E3 informer, ${count} pods until synced`]: (await informed(parts, 1, count, 0)).synced,
      [`E3 ${FEW} informers, ${RATE} changes a second`]: (await informed(parts, FEW, count, patches)).updated,
    }
  },
})

interface Informed {
  readonly synced: Sample
  readonly updated: Sample
}

async function informed(parts: ScenarioParts, number: number, count: number, updates: number): Promise<Informed> {
  const { side, programs, client } = parts
  side.figures.resetPeak()
  const before = side.figures.cpuMs()
  const program = startInformers(parts, number, updates)
  const { syncMs, objects }: Synced = JSON.parse(await program.line())
  if (objects !== count) throw new Error(`an informer has ${objects} of ${count} pods`)
  const midst = side.figures.cpuMs()
  const synced = { ms: syncMs, cpuMs: (midst - before) / number, peakMb: side.figures.peakMb() }
  if (updates === 0) return { synced, updated: {} }
  await runJob(programs, side.access, client, { workers: FEW, operations: updates, rate: RATE, requests: [PATCH] })
  const { deliveries, seconds, p50, p99, clientCpuMs }: Updated = JSON.parse(await program.line())
  const cpuUs = ((side.figures.cpuMs() - midst) / deliveries) * MICRO
  const clientPercent = (clientCpuMs / (seconds * 1_000) / availableParallelism()) * 100
  return { synced, updated: { perSecond: deliveries / seconds, p50, p99, cpuUs, clientPercent } }
}

/** In turn over those that every size has. */
const PATCH = {
  method: 'PATCH',
  path: `${PODS}/pod-{i}`,
  contentType: 'application/merge-patch+json',
  body: '{"metadata":{"annotations":{"bench/sent":"{now}"}}}',
} as const

/** Ends by itself when each informer has every update. `line`: what it says next. */
function startInformers({ side, programs }: ScenarioParts, number: number, updates: number) {
  const { server, ca, certificate: cert, key } = side.access
  const child = spawn(programs.informers, { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.end(JSON.stringify({ server, ca, cert, key, namespace: 'default', informers: number, updates }))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    async line(): Promise<string> {
      const { value, done } = await lines.next()
      if (done === true) throw new Error(`the informers have ended: ${await once(child, 'close')}`)
      return value
    },
  }
}
