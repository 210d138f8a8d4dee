/** The node agent with real containers: what a simulated runtime cannot tell. Needs root and a Docker Engine. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { builtinResources } from '../../src/apis/builtin.ts'
import { configMaps } from '../../src/apis/core/config-map.ts'
import { nodes } from '../../src/apis/core/node.ts'
import { pods } from '../../src/apis/core/pod/definition.ts'
import { podCondition } from '../../src/apis/core/pod/pod-status.ts'
import type { Container, Pod, PodSpec } from '../../src/apis/core/types.gen.ts'
import { systemClock } from '../../src/base/clock.ts'
import { silentLogger } from '../../src/base/log.ts'
import { seededRandom } from '../../src/base/random.ts'
import { createInformers } from '../../src/client/informers.ts'
import { createLoopbackTransport } from '../../src/client/loopback-transport.ts'
import { createClient } from '../../src/client/resource-client.ts'
import { createPodDirectory } from '../../src/node/pod-directory.ts'
import { sendHttp } from '../../src/node/probes/http.ts'
import { NODE_CAPACITY, NODE_NAME, startNodeAgent } from '../support/node-agent.ts'
import { ADMIN, createTestServer } from '../support/test-server.ts'
import { createTestCluster, reasonToSkip } from './docker-cluster.ts'

const skipped = await reasonToSkip()
if (skipped !== undefined) console.warn(`The node agent is not tested with an engine: ${skipped}.`)

const isReady = (pod: Pod) => podCondition(pod, 'Ready')?.status === 'True'
const isOver = ({ status }: Pod) => status?.phase === 'Succeeded' || status?.phase === 'Failed'
const ending = (pod: Pod) => pod.status?.containerStatuses?.[0]?.state?.terminated

async function startNode() {
  const cleanup = new AsyncDisposableStack()
  const cluster = cleanup.use(await createTestCluster('kubelet', '10.227.0.0/16', 1))
  const [place] = cluster.nodes
  if (!place) throw new Error('no node was made')
  const directory = await mkdtemp(join(tmpdir(), 't8s-kubelet-'))
  cleanup.defer(() => rm(directory, { recursive: true, force: true }))
  const clock = systemClock
  const random = seededRandom(7)
  const { server } = cleanup.use(createTestServer(builtinResources, { clock }))
  const client = createClient(createLoopbackTransport(server.handle, ADMIN))
  const informers = cleanup.use(createInformers({ client, clock, random, log: silentLogger }))
  await client.of(nodes).create({
    metadata: { name: NODE_NAME },
    spec: {},
    status: { capacity: NODE_CAPACITY, allocatable: NODE_CAPACITY },
  })
  const runtime = cleanup.use(await place.openRuntime())
  const files = createPodDirectory(directory)
  const shared = { client, informers, runtime, clock, random, files }
  const agent = { ...shared, http: sendHttp, runtimeName: 'docker', nodeIp: place.node.ip }
  cleanup.use(await startNodeAgent(agent))
  const informer = informers.of(pods)
  const until = async (name: string, holds: (pod: Pod) => boolean): Promise<Pod> => {
    const look = () => informer.get({ namespace: 'default', name })
    await informer.until(() => {
      const pod = look()
      return pod !== undefined && holds(pod)
    })
    const pod = look()
    if (!pod) throw new Error(`pod ${name} is gone`)
    return pod
  }
  return {
    client,
    until,
    nodeName: place.node.nodeName,
    container: (script: string, parts: Partial<Container> = {}): Container => ({
      name: 'main',
      image: cluster.image,
      command: ['sh', '-c', script],
      ...parts,
    }),
    add: (name: string, spec: PodSpec) =>
      client.of(pods).create({
        metadata: { name, namespace: 'default' },
        spec: { nodeName: NODE_NAME, terminationGracePeriodSeconds: 1, ...spec },
      }),
    async remove(name: string) {
      await client.of(pods).delete({ namespace: 'default', name })
      await informer.until(() => informer.get({ namespace: 'default', name }) === undefined)
    },
    async exec(pod: Pod, container: string, ...command: readonly string[]): Promise<string> {
      const running = (await runtime.containers(pod.metadata.uid)).find(({ name }) => name === container)
      const output = new PassThrough()
      const chunks: Buffer[] = []
      output.on('data', (chunk: Buffer) => chunks.push(chunk))
      await runtime.exec(running?.id ?? '', command, { stdout: output, stderr: output }, { tty: false })
      return Buffer.concat(chunks).toString()
    },
    /** What is left of all pods: containers, sandboxes and directories. */
    remains: async () => [
      ...(await runtime.containers()).map(({ id }) => id),
      ...(await runtime.sandboxes()).map(({ id }) => id),
      ...(await files.pods()),
    ],
    [Symbol.asyncDispose]: () => cleanup.disposeAsync(),
  }
}

describe.skipIf(skipped !== undefined)('the node agent with an engine', () => {
  let node: Awaited<ReturnType<typeof startNode>>
  beforeAll(async () => {
    node = await startNode()
  })
  afterAll(() => node[Symbol.asyncDispose]())

  test('tells why a container ended: its message, or that memory ran out', async () => {
    await node.add('message', {
      restartPolicy: 'Never',
      containers: [node.container('printf bye > /tmp/why; exit 3', { terminationMessagePath: '/tmp/why' })],
    })
    await node.add('greedy', {
      restartPolicy: 'Never',
      containers: [
        node.container('busybox head -c 200m /dev/zero | busybox tail', { resources: { limits: { memory: '16Mi' } } }),
      ],
    })
    expect(ending(await node.until('message', isOver))).toMatchObject({ exitCode: 3, reason: 'Error', message: 'bye' })
    expect(ending(await node.until('greedy', isOver))).toMatchObject({ reason: 'OOMKilled' })
    await node.remove('message')
    await node.remove('greedy')
  })

  test('takes the end of the log for a message where that is asked for', async () => {
    const terminationMessagePolicy = 'FallbackToLogsOnError' as const
    const containers = [node.container('echo so it ends; exit 1', { terminationMessagePolicy })]
    await node.add('fallback', { restartPolicy: 'Never', containers })
    expect(ending(await node.until('fallback', isOver))?.message).toBe('so it ends\n')
    await node.remove('fallback')
  })

  test('is ready when a command in the container succeeds', async () => {
    const readinessProbe = { exec: { command: ['cat', '/tmp/ready'] }, periodSeconds: 1 }
    await node.add('probed', { containers: [node.container('sleep 600', { readinessProbe })] })
    const running = await node.until('probed', ({ status }) => Boolean(status?.containerStatuses?.[0]?.state?.running))
    expect(isReady(running)).toBe(false)
    await node.exec(running, 'main', 'sh', '-c', 'echo > /tmp/ready')
    await node.until('probed', isReady)
    await node.remove('probed')
  })

  test('shares memory between containers, and shows a ConfigMap that changes', async () => {
    const key = { namespace: 'default', name: 'settings' }
    await node.client.of(configMaps).create({ metadata: key, data: { mode: 'slow' } })
    const volumeMounts = [
      { name: 'memory', mountPath: '/memory' },
      { name: 'settings', mountPath: '/settings' },
    ]
    await node.add('shared', {
      volumes: [
        { name: 'memory', emptyDir: { medium: 'Memory', sizeLimit: '4Mi' } },
        { name: 'settings', configMap: { name: 'settings' } },
      ],
      containers: [
        node.container('echo hello > /memory/word; sleep 600', { volumeMounts }),
        node.container('sleep 600', { name: 'other', volumeMounts }),
      ],
    })
    const pod = await node.until('shared', isReady)
    expect(await node.exec(pod, 'other', 'cat', '/memory/word')).toBe('hello\n')
    expect(await node.exec(pod, 'other', 'grep', ' /memory ', '/proc/mounts')).toMatch(/tmpfs.*size=4096k/)
    await node.client.of(configMaps).patch(key, { type: 'merge', body: { data: { mode: 'fast' } } })
    await expect.poll(() => node.exec(pod, 'other', 'cat', '/settings/mode'), { timeout: 30_000 }).toBe('fast')
    await node.remove('shared')
  })

  test('gives a pod of the node’s network the node’s name and address, and others their own', async () => {
    await node.add('own', { containers: [node.container('sleep 600')] })
    await node.add('host', { hostNetwork: true, containers: [node.container('sleep 600')] })
    const [own, host] = [await node.until('own', isReady), await node.until('host', isReady)]
    expect(host.status?.podIP).toBe(host.status?.hostIP)
    expect(await node.exec(host, 'main', 'hostname')).toBe(`${node.nodeName}\n`)
    expect(await node.exec(own, 'main', 'hostname')).toBe('own\n')
    expect(await node.exec(own, 'main', 'cat', '/etc/hosts')).toContain(`${own.status?.podIP}\town\n`)
    expect(await node.exec(own, 'main', 'cat', '/etc/resolv.conf')).toContain('options ndots:5')
    await node.remove('own')
    await node.remove('host')
  })

  test('gives a privileged container all that there is, and others no more than they ask for', async () => {
    const plain = { runAsUser: 0, capabilities: { drop: ['ALL'] }, readOnlyRootFilesystem: true }
    await node.add('power', {
      containers: [
        node.container('sleep 600', { securityContext: { runAsUser: 0, privileged: true } }),
        node.container('sleep 600', { name: 'plain', securityContext: plain }),
      ],
    })
    const pod = await node.until('power', isReady)
    const capabilities = async (container: string) =>
      BigInt(`0x${(await node.exec(pod, container, 'grep', 'CapEff', '/proc/self/status')).split(/\s+/)[1]}`)
    expect(await capabilities('plain')).toBe(0n)
    expect(await capabilities('main')).toBeGreaterThan(0xa80425fbn)
    expect(await node.exec(pod, 'plain', 'sh', '-c', 'echo > /tmp/x')).toContain('Read-only file system')
    await node.remove('power')
  })

  test('changes a running container’s memory limit in place', async () => {
    const resources = { requests: { memory: '32Mi' }, limits: { memory: '32Mi' } }
    await node.add('resized', { containers: [node.container('sleep 600', { resources })] })
    const before = await node.until('resized', isReady)
    await node.client.of(pods).patch(
      { namespace: 'default', name: 'resized' },
      {
        type: 'strategic',
        body: {
          spec: {
            containers: [{ name: 'main', resources: { requests: { memory: '64Mi' }, limits: { memory: '64Mi' } } }],
          },
        },
      },
      { subresource: 'resize' },
    )
    const after = await node.until(
      'resized',
      ({ status }) => status?.containerStatuses?.[0]?.resources?.limits?.memory === '64Mi',
    )
    const id = (pod: Pod) => pod.status?.containerStatuses?.[0]?.containerID
    expect(id(after)).toBe(id(before))
    await node.remove('resized')
  })

  test('leaves nothing behind', async () => {
    expect(await node.remains()).toEqual([])
  })
})
