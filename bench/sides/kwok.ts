/** Nodes for the other side: objects of the size that simulated nodes have here, kept Ready by KWOK. */

import type { KubeconfigEntry } from '../../src/client/kubeconfig.ts'
import { openConnection } from '../connection.ts'
import { NODE_RESOURCES } from '../objects.ts'
import { nodesReady } from '../world.ts'

/** Resolves when all of them are Ready. */
export async function addKwokNodes(credentials: KubeconfigEntry, count: number): Promise<void> {
  using connection = await openConnection(credentials)
  for (let index = 0; index < count; index++) {
    const { status, body } = await connection.send({ method: 'POST', path: '/api/v1/nodes', body: node(index) })
    if (status !== 201) throw new Error(`a node was refused: ${body.toString().slice(0, 500)}`)
  }
  await nodesReady(connection, count)
}

function node(index: number): string {
  const name = `node-${index}`
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      annotations: { 'kwok.x-k8s.io/node': 'fake' },
      labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64' },
    },
    status: { allocatable: NODE_RESOURCES, capacity: NODE_RESOURCES },
  })
}
