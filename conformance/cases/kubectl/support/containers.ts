/** What runs behind a pod, seen and disturbed from outside: by the engine, past the cluster. */

import { type DockerEngine, isStatus, labels } from '../../../../src/node/runtime/docker-engine.ts'

export interface Place {
  readonly cluster: string
  readonly namespace: string
  readonly pod?: string
  readonly container?: string
}

/** Ids of the containers of these pods, sandboxes and ended ones included unless only running ones are asked for. */
export async function containersOf(
  { docker }: DockerEngine,
  place: Place,
  { running = false } = {},
): Promise<readonly string[]> {
  const wanted = [`${labels.cluster}=${place.cluster}`, `${labels.podNamespace}=${place.namespace}`]
  if (place.pod !== undefined) wanted.push(`${labels.podName}=${place.pod}`)
  if (place.container !== undefined) wanted.push(`${labels.container}=${place.container}`)
  const found = await docker.listContainers({ all: !running, filters: { label: wanted } })
  return found.map(({ Id }) => Id)
}

/** Ids of everything that runs on a node, with the node's own sandbox. */
export async function containersOnNode(
  { docker }: DockerEngine,
  cluster: string,
  node: string,
): Promise<readonly string[]> {
  const label = [`${labels.cluster}=${cluster}`, `${labels.node}=${node}`]
  return (await docker.listContainers({ filters: { label } })).map(({ Id }) => Id)
}

/** The container that is the node's machine. */
export async function sandboxOfNode({ docker }: DockerEngine, cluster: string, node: string): Promise<string> {
  const label = [`${labels.cluster}=${cluster}`, `${labels.node}=${node}`, `${labels.kind}=node`]
  const [sandbox] = await docker.listContainers({ filters: { label } })
  if (!sandbox) throw new Error(`node ${node} does not run`)
  return sandbox.Id
}

/** Everything on a node ends at once, as when a machine loses its power. How much that was. */
export async function killNode(engine: DockerEngine, cluster: string, node: string): Promise<number> {
  const containers = await containersOnNode(engine, cluster, node)
  const kills = containers.map(async (id) => {
    try {
      await engine.docker.getContainer(id).kill()
    } catch (error) {
      // 409: it ended before its turn came.
      if (!isStatus(error, 409)) throw error
    }
  })
  await Promise.all(kills)
  return containers.length
}
