/** The container runtime of one logical node over a Docker Engine. */

import type { Clock } from '../../base/clock.ts'
import type { Ownership } from './container-config.ts'
import { createDockerContainers } from './docker-containers.ts'
import { type DockerEngine, labelFilter, labels } from './docker-engine.ts'
import { podEvents } from './docker-events.ts'
import { attachToContainer, execInContainer } from './docker-exec.ts'
import { ensureSandboxImage, findImage, listImages, pullImage, removeImage } from './docker-images.ts'
import { containerLogs } from './docker-logs.ts'
import type { DockerNode } from './docker-nodes.ts'
import { createDockerSandboxes } from './docker-sandboxes.ts'
import { createNamespaceDialer } from './namespace-dial.ts'
import type { PodNetwork } from './pod-network.ts'
import type { ContainerRuntime } from './runtime.ts'

export interface DockerRuntimeOptions {
  readonly engine: DockerEngine
  readonly clusterName: string
  readonly node: DockerNode
  readonly network: PodNetwork
  readonly clock: Clock
}

export async function createDockerRuntime(options: DockerRuntimeOptions): Promise<ContainerRuntime> {
  const { engine, clusterName, node, network, clock } = options
  await ensureSandboxImage(engine)
  const owner: Ownership = { clusterName, nodeName: node.nodeName }
  const sandboxes = createDockerSandboxes({ engine, owner, node, network })
  const containers = createDockerContainers({ engine, owner, sandbox: sandboxes.facts })
  const dialer = createNamespaceDialer(clock)
  const own = labelFilter([labels.cluster, clusterName], [labels.node, node.nodeName]).label
  const pods = async () => [...new Set((await sandboxes.list()).map(({ pod }) => pod.uid))]
  return {
    version: async () => ({ name: 'docker', version: engine.version, apiVersion: '1.41' }),
    sandboxes: sandboxes.list,
    runSandbox: sandboxes.run,
    async removeSandbox(id) {
      const sandbox = await sandboxes.facts(id)
      if (!sandbox) return
      await containers.kill(sandbox)
      await sandboxes.remove(sandbox)
    },
    containers: containers.list,
    createContainer: containers.create,
    startContainer: containers.start,
    stopContainer: containers.stop,
    removeContainer: containers.remove,
    updateContainer: containers.update,
    images: () => listImages(engine),
    image: (reference) => findImage(engine, reference),
    pullImage: (reference, credentials) => pullImage(engine, reference, credentials),
    removeImage: (reference) => removeImage(engine, reference),
    exec: (id, command, streams, how) => execInContainer(engine, clock, id, command, streams, how),
    attach: (id, streams, signal) => attachToContainer(engine, clock, id, streams, signal),
    connect: async (sandboxId, port) => dialer.connect(await sandboxes.pid(sandboxId), port),
    logs: (id, how, signal) => containerLogs(engine, id, how, signal),
    usage: containers.usage,
    events: (signal) => podEvents({ engine, clock, labels: own, pods, outOfMemory: containers.outOfMemory }, signal),
    async [Symbol.asyncDispose]() {
      dialer[Symbol.dispose]()
    },
  }
}
