/** A group of cases of the pinned kubectl on a cluster whose one node is simulated: no Docker, nothing to pull. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { UPSTREAM_VERSION, upstreamPrograms } from '../../../upstream.ts'
import { type ClientsCluster, startClientsCluster } from '../../clients/support/cluster.ts'
import { type CommandResult, runCommand } from './command.ts'
import { eventually } from './eventually.ts'
import { createKubectl, type Kubectl } from './kubectl.ts'

/** A kubectl takes two minutes to build, once on a machine. */
const BUILD_MINUTES_MAX = 20

export const upstream = await upstreamPrograms(['kubectl'], { say: console.info, minutesMax: BUILD_MINUTES_MAX })

export interface SimulatedCluster {
  readonly cluster: ClientsCluster
  readonly kubectl: Kubectl
  /** kubectl without any flag before the words. */
  plain(words: readonly string[], path?: string): Promise<CommandResult>
}

/** `here` may be asked inside of tests and hooks only. kubectl is in the namespace `title`. */
export function onSimulatedCluster(title: string, body: (here: () => SimulatedCluster) => void): void {
  const name = `kubectl ${UPSTREAM_VERSION}, ${title}`
  describe.skipIf(!upstream.available)(upstream.available ? name : `${name}: skipped, ${upstream.reason}`, () => {
    const running: { here?: SimulatedCluster } = {}
    const down = async () => {
      const { here } = running
      delete running.here
      return (await here?.cluster.down()) ?? []
    }
    beforeAll(async () => {
      if (!upstream.available) return
      const cluster = await startClientsCluster(title, { nodes: 1 })
      const binary = { version: UPSTREAM_VERSION, path: upstream.path('kubectl') }
      const { home, kubeconfig } = cluster
      const kubectl = createKubectl({ binary, namespace: title, home, kubeconfig })
      running.here = {
        cluster,
        kubectl,
        plain: (words, path = process.env.PATH ?? '') =>
          runCommand(binary.path, words, { env: { PATH: path, HOME: home, KUBECONFIG: kubeconfig } }),
      }
      await kubectl.ok(`create namespace ${title}`)
      await eventually(() => kubectl.ok('get serviceaccount default'))
    })
    afterAll(down)
    body(() => {
      if (!running.here) throw new Error('the cluster does not run')
      return running.here
    })
    test('nothing is left behind when the cluster is down', async () => {
      expect(await down()).toEqual([])
    })
  })
}
