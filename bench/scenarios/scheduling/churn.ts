/** Objects that come and go while others are measured, as in upstream's mixed churn: none of them helps or hinders a pod. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { KubeconfigEntry } from '../../../src/client/kubeconfig.ts'
import { type Connection, openConnection } from '../../connection.ts'

const PAUSE_MS = 100

interface Passing {
  readonly collection: string
  readonly metadata: { readonly name: string }
  readonly spec?: object
}

const metadata = { name: 'churn' }
const containers = [{ name: 'main', image: 'none', resources: { requests: { cpu: '1000' } } }]
const OBJECTS: readonly Passing[] = [
  { collection: '/api/v1/nodes', metadata },
  {
    collection: '/api/v1/namespaces/default/services',
    metadata,
    spec: { selector: { app: 'churn' }, ports: [{ port: 80 }] },
  },
  { collection: '/api/v1/namespaces/default/pods', metadata, spec: { terminationGracePeriodSeconds: 0, containers } },
]

/** Somebody may be writing a status meanwhile. */
const ATTEMPTS_MAX = 100

async function remove(connection: Connection, path: string): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const { status } = await connection.send({ method: 'DELETE', path })
    if (status !== 409) return
  }
  throw new Error(`${path} cannot be deleted`)
}

/** Until it is disposed. */
export async function churn(credentials: KubeconfigEntry): Promise<AsyncDisposable> {
  const connection = await openConnection(credentials)
  let isOver = false
  const turning = (async () => {
    while (!isOver) {
      for (const { collection: path, ...object } of OBJECTS)
        await connection.send({ method: 'POST', path, body: JSON.stringify(object) })
      await sleep(PAUSE_MS)
      for (const { collection } of OBJECTS) await remove(connection, `${collection}/${metadata.name}`)
    }
  })()
  return {
    async [Symbol.asyncDispose]() {
      isOver = true
      await turning
      connection[Symbol.dispose]()
    },
  }
}
