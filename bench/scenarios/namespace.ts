/** H1: a namespace with many objects, from its deletion until it is gone. */

import { openConnection } from '../connection.ts'
import { configMap } from '../objects.ts'
import { onSides } from '../on-sides.ts'
import { untilStatus } from '../world.ts'
import { prepared, timed } from './measure.ts'

const COUNT = { quick: 1_000, full: 10_000 }
const NAMESPACE = '/api/v1/namespaces/crowded'

export const namespace = onSides({
  name: 'namespace',
  about: 'H1: a namespace with 10,000 ConfigMaps is deleted',
  wish: { nodes: 0 },
  async run(parts) {
    const count = parts.quick ? COUNT.quick : COUNT.full
    using connection = await openConnection(parts.side.access.credentials)
    const body = JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'crowded' } })
    await prepared(parts, { method: 'POST', path: '/api/v1/namespaces', body }, 1)
    await prepared(parts, { method: 'POST', path: `${NAMESPACE}/configmaps`, body: configMap('map-{i}') }, count)
    const { ms, cpuMs } = await timed(parts, async () => {
      await connection.send({ method: 'DELETE', path: NAMESPACE })
      await untilStatus(connection, NAMESPACE, 404)
    })
    return { [`H1 namespace with ${count} ConfigMaps`]: { ms, cpuMs } }
  },
})
