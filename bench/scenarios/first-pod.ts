/** A2: from the first process of a whole control plane to a pod that runs on a simulated node. */

import { openConnection } from '../connection.ts'
import { pod } from '../objects.ts'
import { API_TUNINGS, onSides } from '../on-sides.ts'
import { accountReady, untilRunning } from '../world.ts'

const PODS = '/api/v1/namespaces/default/pods'

export const firstPod = onSides({
  name: 'first-pod',
  about: 'A2: the whole control plane until the first pod runs on a simulated node',
  wish: { nodes: 1 },
  tunings: ['default', ...API_TUNINGS],
  async run({ side }) {
    using connection = await openConnection(side.access.credentials)
    await accountReady(connection)
    const { status, body } = await connection.send({
      method: 'POST',
      path: PODS,
      body: pod('first').replace('{c}', '0'),
    })
    if (status !== 201) throw new Error(`the pod was refused: ${body.toString()}`)
    await untilRunning(connection, PODS, 1)
    const ms = performance.now() - side.startedAt
    return { 'A2 start to first pod Running': { ms, cpuMs: side.figures.cpuMs() } }
  },
})
