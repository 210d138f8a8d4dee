/** A group of cases on a cluster of their own: started before the first, removed after the last, nothing left behind. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ClusterPlan, reasonToSkip, startCluster, type TestCluster } from './cluster.ts'

const reason = await reasonToSkip()

/** `cluster` may be asked inside of tests and hooks only. */
export function onCluster(plan: ClusterPlan, body: (cluster: () => TestCluster) => void): void {
  const title = reason === undefined ? `kubectl, ${plan.name}` : `kubectl, ${plan.name}: skipped, ${reason}`
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
