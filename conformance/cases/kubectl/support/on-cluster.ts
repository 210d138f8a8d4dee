/** A group of cases on a cluster of their own: started before the first, removed after the last, nothing left behind. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ClusterPlan, reasonToSkip, startCluster, type TestCluster } from './cluster.ts'

const obstacle = await reasonToSkip()

/** `cluster` may be asked inside of tests and hooks only. With a reason of the caller's own the cases are skipped, too. */
export function onCluster(plan: ClusterPlan, body: (cluster: () => TestCluster) => void, reason = obstacle): void {
  const { client = 'kubectl', name } = plan
  const title = reason === undefined ? `${client}, ${name}` : `${client}, ${name}: skipped, ${reason}`
  describe.skipIf(reason !== undefined)(title, () => {
    const running: { cluster?: TestCluster | undefined } = {}
    const cluster = () => {
      if (!running.cluster) throw new Error('the cluster does not run')
      return running.cluster
    }
    const down = async () => {
      const stopped = running.cluster
      running.cluster = undefined
      await stopped?.down()
      return (await stopped?.leftovers()) ?? []
    }
    beforeAll(async () => {
      running.cluster = await startCluster(plan)
    })
    afterAll(down)
    body(cluster)
    test('nothing is left behind when the cluster is down', async () => {
      expect(await down()).toEqual([])
    })
  })
}
