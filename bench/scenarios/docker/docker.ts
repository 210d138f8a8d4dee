/**
 * J1, J2: pods on this machine's Docker, from create to Running and from delete to gone, and the first byte of exec and
 * of logs; in the same rounds the same containers by `docker run -d` and by the Engine's API, without any cluster.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { makeImage, reasonForNoImages } from '../../../conformance/cases/kubectl/support/images.ts'
import { exists } from '../../../scripts/command.ts'
import { type DockerEngine, openDockerEngine } from '../../../src/node/runtime/docker-engine.ts'
import type { Contestant, Sample, Samples, Scenario, Setting } from '../../scenario.ts'
import { median } from '../../statistics.ts'
import { containersByApi, containersByCommand } from './containers.ts'
import { clusterPods } from './pods.ts'
import { IMAGE, type Runner } from './runner.ts'

/** One after the other: so often in a round. */
const SINGLE = { quick: 3, full: 5 }
const CROWDS = [10, 30]
/** What was prepared for the next one may be prepared again, in ms. */
const PAUSE_MS = 1_500

export const docker: Scenario = {
  name: 'docker',
  about: 'J1, J2: 1, 10 and 30 pods on Docker against bare containers; delete, exec and logs',
  async contestants(setting) {
    const reason = reasonForNoImages()
    const engine = reason === undefined ? await engineOrReason() : reason
    if (typeof engine !== 'string') return contestantsOn(engine, setting)
    setting.say(`docker: not measured: ${engine}`)
    return []
  },
}

function contestantsOn(engine: DockerEngine, { quick }: Setting): readonly Contestant[] {
  const contestant = (name: string, open: () => Promise<Runner>): Contestant => ({
    name,
    tables: ['chosen'],
    async round() {
      await makeImage(engine, IMAGE, 'bench')
      try {
        await using runner = await open()
        return await measured(runner, quick ? SINGLE.quick : SINGLE.full)
      } finally {
        await engine.docker.getImage(IMAGE).remove({ force: true })
      }
    },
  })
  return [
    contestant('t8s', clusterPods),
    ...(exists('docker') ? [contestant('docker run -d', async () => containersByCommand())] : []),
    contestant('Docker Engine API', async () => containersByApi(engine.docker)),
  ]
}

async function engineOrReason(): Promise<DockerEngine | string> {
  try {
    return await openDockerEngine({ capabilities: [] })
  } catch (error) {
    return String(error)
  }
}

async function measured(runner: Runner, times: number): Promise<Samples> {
  const singles = await oneByOne(runner, times)
  const rows: Record<string, Sample> = {}
  for (const count of CROWDS) {
    const names = Array.from({ length: count }, (_, index) => `crowd-${count}-${index}`)
    await sleep(PAUSE_MS)
    const ms = await msOf(() => runner.run(names))
    rows[`J1 ${count} pods at once`] = { ms, perSecond: (count / ms) * 1_000 }
    if (count === 30) rows['J1 pod right after 30 others'] = { ms: await msOf(() => runner.run(['after'])) }
    await runner.remove(count === 30 ? [...names, 'after'] : names)
  }
  return { ...singles, ...rows }
}

async function oneByOne(runner: Runner, times: number): Promise<Samples> {
  const [runs, removals, execs, logs]: readonly [number[], number[], number[], number[]] = [[], [], [], []]
  for (let index = 0; index <= times; index++) {
    const name = `single-${index}`
    await sleep(PAUSE_MS)
    const took = [
      await msOf(() => runner.run([name])),
      await msOf(() => runner.exec(name)),
      await msOf(() => runner.logs(name)),
      await msOf(() => runner.remove([name])),
    ] as const
    // The first one loads what the others find.
    if (index === 0) continue
    for (const [at, list] of [runs, execs, logs, removals].entries()) list.push(took[at] ?? Number.NaN)
  }
  return {
    'J1 pod to Running': { ms: median(runs) },
    'J2 delete to gone': { ms: median(removals) },
    'J2 exec, first byte': { ms: median(execs) },
    'J2 logs, first byte': { ms: median(logs) },
  }
}

async function msOf(work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}
