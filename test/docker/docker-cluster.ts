/** A cluster's worth of nodes on the local engine, for tests: made under a name of its own and removed without a trace. */

import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { pack } from 'tar-stream'
import { systemClock } from '../../src/base/clock.ts'
import { addressAt, parseCidr } from '../../src/base/ip.ts'
import { removeHostRoutes, updateHostRoutes } from '../../src/network/pods/host-routes.ts'
import { namespaceCommands } from '../../src/network/pods/namespace-command.ts'
import { createNodeNetwork } from '../../src/network/pods/node-network.ts'
import { createPodNetwork } from '../../src/network/pods/pod-network.ts'
import { machineCapabilities } from '../../src/node/runtime/capabilities.ts'
import { type DockerEngine, openDockerEngine } from '../../src/node/runtime/docker-engine.ts'
import { createDockerNodes, type DockerNode, removeClusterContainers } from '../../src/node/runtime/docker-nodes.ts'
import { createDockerRuntime } from '../../src/node/runtime/docker-runtime.ts'
import type { ContainerRuntime } from '../../src/node/runtime/runtime.ts'

const BUSYBOX = '/bin/busybox'

/** Why these tests cannot run here; undefined: they can. */
export async function reasonToSkip(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'not root'
  if (!existsSync(BUSYBOX)) return `no ${BUSYBOX} to make an image of`
  try {
    await openDockerEngine({ capabilities: [] })
    return undefined
  } catch (error) {
    return String(error)
  }
}

export interface TestNode {
  readonly node: DockerNode
  /** A runtime over whatever is there, as after a restart. */
  openRuntime(): Promise<ContainerRuntime>
}

export interface TestCluster extends AsyncDisposable {
  readonly engine: DockerEngine
  readonly image: string
  readonly nodes: readonly TestNode[]
  readonly serviceCidr: string
}

export async function createTestCluster(
  name: string,
  clusterPodCidr: string,
  nodeCount: number,
  serviceCidr = '10.219.0.0/16',
): Promise<TestCluster> {
  const engine = await openDockerEngine({ capabilities: await machineCapabilities() })
  const clusterName = `test-${name}`
  const remove = async () => {
    await removeClusterContainers(engine, clusterName)
    await removeHostRoutes(namespaceCommands, clusterName)
  }
  await remove()
  const image = await makeImage(engine, name)
  const dockerNodes = await createDockerNodes({ engine, clusterName })
  const pods = parseCidr(clusterPodCidr)
  if (!pods) throw new Error(clusterPodCidr)
  const made: DockerNode[] = []
  for (let number = 0; number < nodeCount; number++) made.push(await dockerNodes.ensure(`node-${number}`))
  const routes = made.map(({ ip }, number) => ({ ip, podCidr: `${addressAt(pods, number * 256)}/24` }))
  const nodes = await Promise.all(
    made.map(async (node, number): Promise<TestNode> => {
      const network = createNodeNetwork({ commands: namespaceCommands, node, clusterPodCidr, serviceCidr })
      await network.update(routes[number]?.podCidr ?? '', routes)
      const openRuntime = () => {
        const podNetwork = createPodNetwork(namespaceCommands, network)
        return createDockerRuntime({ engine, clusterName, node, network: podNetwork, clock: systemClock })
      }
      return { node, openRuntime }
    }),
  )
  await updateHostRoutes(namespaceCommands, { clusterName, clusterPodCidr, serviceCidr }, routes)
  return {
    engine,
    image,
    nodes,
    serviceCidr,
    async [Symbol.asyncDispose]() {
      await remove()
      await engine.docker.getImage(image).remove({ force: true })
    },
  }
}

async function makeImage({ docker }: DockerEngine, name: string): Promise<string> {
  const archive = pack()
  archive.entry({ name: 'bin/busybox', mode: 0o755 }, await readFile(BUSYBOX))
  for (const applet of ['sh', 'cat', 'sleep', 'nc', 'id', 'stty', 'hostname', 'ip', 'grep', 'ping', 'printf'])
    archive.entry({ name: `bin/${applet}`, type: 'symlink', linkname: 'busybox' })
  archive.entry({ name: 'tmp', type: 'directory', mode: 0o1777 })
  archive.finalize()
  const options = { repo: `t8s-test/${name}`, tag: '1', changes: ['ENV PATH=/bin', 'USER 1234'] }
  const answer = await docker.importImage(archive as unknown as NodeJS.ReadableStream, options)
  for await (const _ of answer);
  return `t8s-test/${name}:1`
}
