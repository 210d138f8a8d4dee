/** Services, node ports, host ports and names as pods and the host meet them, on two logical nodes of a real engine. */

import { connect } from 'node:net'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { namespaces } from '../../src/apis/core/namespace.ts'
import { pods as podDefinition } from '../../src/apis/core/pod/definition.ts'
import { services } from '../../src/apis/core/service/definition.ts'
import type { Pod, Service } from '../../src/apis/core/types.gen.ts'
import { endpointSlices } from '../../src/apis/discovery/endpoint-slice.ts'
import type { Endpoint, EndpointSlice } from '../../src/apis/discovery/types.gen.ts'
import { systemClock } from '../../src/base/clock.ts'
import { silentLogger } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import { startDnsServer } from '../../src/network/dns/server.ts'
import { namespaceCommands, runInNamespace } from '../../src/network/pods/namespace-command.ts'
import { flowCommands } from '../../src/network/proxy/flows.ts'
import { startProxy } from '../../src/network/proxy/proxy.ts'
import { endpoint, service, slice, testInformers } from '../../src/network/test-objects.ts'
import type { ContainerRuntime } from '../../src/node/runtime/runtime.ts'
import { containerConfig, eventually, sandboxConfig } from '../contracts/runtime-contract.ts'
import { createTestCluster, reasonToSkip, type TestCluster } from './docker-cluster.ts'

const skip = await reasonToSkip()
const POD_CIDR = '10.221.0.0/16'
const SERVICE_CIDR = '10.222.0.0/16'
/** The address of a service that comes and goes, to see when the rules are up to date. */
const MARKER = '10.222.255.1'

interface RunningPod {
  readonly name: string
  readonly nodeName: string
  readonly runtime: ContainerRuntime
  readonly id: string
  readonly ip: string
}

/** What a TCP connection from the host answers, or the code of its failure. */
function dial(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    socket.on('error', (error) => resolve(String(Reflect.get(error, 'code'))))
    socket.on('connect', () => text(socket).then(resolve, () => {}))
  })
}

describe.skipIf(skip !== undefined)(`the service network${skip === undefined ? '' : ` (${skip})`}`, () => {
  const stack = new AsyncDisposableStack()
  const informers = testInformers()
  let cluster: TestCluster
  let pods: readonly RunningPod[] = []

  const start = async (index: number, name: string): Promise<RunningPod> => {
    const node = cluster.nodes[index]
    if (!node) throw new Error('two nodes are needed')
    const runtime = stack.use(await node.openRuntime())
    const sandbox = await runtime.runSandbox(sandboxConfig(name))
    const image = { reference: cluster.image, id: (await runtime.image(cluster.image))?.id ?? '' }
    const command = ['nc', '-ll', '-p', '8080', '-e', 'printf', name]
    const security = { ...containerConfig(image).security, user: 0 }
    const id = await runtime.createContainer(sandbox.id, containerConfig(image, { command, security }))
    await runtime.startContainer(id)
    return { name, nodeName: node.node.nodeName, runtime, id, ip: sandbox.ips[0] ?? '' }
  }
  const inside = async (pod: RunningPod | undefined, ...command: readonly string[]): Promise<string> => {
    const stdout = new PassThrough()
    const output = text(stdout)
    await pod?.runtime.exec(pod.id, command, { stdout, stderr: stdout }, { tty: false })
    stdout.end()
    return output
  }
  const call = (pod: RunningPod | undefined, address: string, port = 80) =>
    inside(pod, 'nc', '-w', '5', address, String(port))
  const endpointsOf = (names: string): Endpoint[] =>
    pods.filter(({ name }) => names.includes(name)).map(({ ip, nodeName }) => endpoint(ip, { nodeName }))
  /** The cluster now has these, and every node knows. */
  const apply = async (wanted: readonly Service[], slices: readonly EndpointSlice[], more: readonly Pod[] = []) => {
    informers.set(services, wanted)
    informers.set(endpointSlices, slices)
    informers.set(podDefinition, more)
    informers.set(services, [...wanted, service('marker', { clusterIP: MARKER })])
    await rulesWith(true)
    informers.set(services, wanted)
    await rulesWith(false)
  }
  /** Resolves when every node's rules know the marker, or no longer do. */
  const rulesWith = async (marker: boolean) => {
    for (const { node } of cluster.nodes) {
      await eventually(async () => {
        const rules = await runInNamespace(node.pid, ['nft', 'list', 'table', 'ip', 't8s-proxy'], '')
        return rules.includes(MARKER) === marker ? true : undefined
      })
    }
  }

  beforeAll(async () => {
    cluster = stack.use(await createTestCluster('services', POD_CIDR, 2, SERVICE_CIDR))
    const ranges = { clusterPodCidr: POD_CIDR, serviceCidr: SERVICE_CIDR }
    for (const { node } of cluster.nodes) {
      const { nodeName, pid } = node
      const shared = { informers, ranges, clock: systemClock, log: silentLogger }
      const proxy = startProxy({ ...shared, commands: namespaceCommands, flows: flowCommands, nodeName, pid })
      stack.use(proxy)
      await proxy.ready
    }
    pods = [await start(0, 'a'), await start(0, 'b'), await start(1, 'c')]
    for (const { ip } of pods) await eventually(async () => ((await dial(ip, 8080)).length === 1 ? true : undefined))
  })
  afterAll(() => stack.disposeAsync())

  test('balances over all backends, from pods and from the host, also when a pod calls itself', async () => {
    await apply([service('web', { clusterIP: '10.222.0.20' })], [slice('web', endpointsOf('abc'))])
    for (const pod of pods) {
      const answers = new Set<string>()
      await eventually(async () => (answers.add(await call(pod, '10.222.0.20')).size >= 3 ? true : undefined))
      expect([...answers].sort()).toEqual(['a', 'b', 'c'])
    }
    const fromHost = new Set<string>()
    await eventually(async () => (fromHost.add(await dial('10.222.0.20', 80)).size >= 3 ? true : undefined))
    expect([...fromHost].sort()).toEqual(['a', 'b', 'c'])
  })

  test('leads a pod to itself when it is the only backend', async () => {
    await apply([service('web', { clusterIP: '10.222.0.20' })], [slice('web', endpointsOf('a'))])
    expect(await call(pods[0], '10.222.0.20')).toBe('a')
  })

  test('keeps a client at its backend', async () => {
    const sticky = service('web', { clusterIP: '10.222.0.20', sessionAffinity: 'ClientIP' })
    await apply([sticky], [slice('web', endpointsOf('abc'))])
    const first = await call(pods[0], '10.222.0.20')
    for (let time = 0; time < 8; time++) expect(await call(pods[0], '10.222.0.20')).toBe(first)
    // Other services may come and go meanwhile.
    await apply([sticky, service('other', { clusterIP: '10.222.0.21' })], [slice('web', endpointsOf('abc'))])
    expect(await call(pods[0], '10.222.0.20')).toBe(first)
  })

  test('answers node ports on the address of every node, from the host, from pods and from the node itself', async () => {
    const ports = [{ port: 80, nodePort: 30080 }]
    await apply(
      [service('web', { type: 'NodePort', clusterIP: '10.222.0.20', ports })],
      [slice('web', endpointsOf('c'))],
    )
    for (const { node } of cluster.nodes) {
      expect(await dial(node.ip, 30080)).toBe('c')
      expect(await call(pods[0], node.ip, 30080)).toBe('c')
      expect(await runInNamespace(node.pid, ['busybox', 'nc', '-w', '5', '127.0.0.1', '30080'], '')).toBe('c')
    }
  })

  test('refuses a service without backends at once', async () => {
    const ports = [{ port: 80, nodePort: 30080 }]
    await apply([service('web', { type: 'NodePort', clusterIP: '10.222.0.20', ports })], [slice('web', [])])
    expect(await dial('10.222.0.20', 80)).toBe('ECONNREFUSED')
    expect(await dial(cluster.nodes[0]?.node.ip ?? '', 30080)).toBe('ECONNREFUSED')
    expect(await inside(pods[0], 'nc', '-w', '30', '10.222.0.20', '80')).toContain('Connection refused')
    expect(await inside(pods[0], 'nc', '-w', '30', '10.222.9.9', '80')).toContain('Connection refused')
  })

  test('keeps outside traffic on the node where the service wants that, and the client’s address with it', async () => {
    const ports = [{ port: 80, nodePort: 30080 }]
    const spec = { type: 'NodePort', clusterIP: '10.222.0.20', ports, externalTrafficPolicy: 'Local' } as const
    await apply([service('web', spec)], [slice('web', endpointsOf('c'))])
    expect(await dial(cluster.nodes[1]?.node.ip ?? '', 30080)).toBe('c')
    expect(await call(pods[0], cluster.nodes[0]?.node.ip ?? '', 30080)).toBe('c')
  })

  test('leads host ports to their pod, on the node’s address and on loopback', async () => {
    const pod: Pod = {
      metadata: { namespace: 'default', name: 'a', uid: 'a' },
      spec: {
        nodeName: pods[0]?.nodeName,
        containers: [{ name: 'app', image: 'app', ports: [{ containerPort: 8080, hostPort: 8090 }] }],
      },
      status: { phase: 'Running', podIP: pods[0]?.ip },
    }
    await apply([], [], [pod])
    const [first, second] = cluster.nodes
    expect(await dial(first?.node.ip ?? '', 8090)).toBe('a')
    expect(await runInNamespace(first?.node.pid ?? 0, ['busybox', 'nc', '-w', '5', '127.0.0.1', '8090'], '')).toBe('a')
    expect(await dial(second?.node.ip ?? '', 8090)).toBe('ECONNREFUSED')
  })

  test('answers names over UDP and TCP at the service’s address', async () => {
    const { gateway } = cluster.nodes[0]?.node ?? { gateway: '' }
    const shared = { clock: systemClock, random: systemRandom, log: silentLogger }
    const clusterDns = '10.222.0.10'
    await using server = await startDnsServer({
      ...shared,
      informers,
      host: gateway,
      domain: 'cluster.local',
      clusterDns,
      upstreams: [],
    })
    const dns = service('dns', {
      clusterIP: clusterDns,
      ports: [
        { name: 'dns', port: 53, protocol: 'UDP' },
        { name: 'dns-tcp', port: 53, protocol: 'TCP' },
      ],
    })
    const ports = [
      { name: 'dns', port: server.port, protocol: 'UDP' },
      { name: 'dns-tcp', port: server.port, protocol: 'TCP' },
    ] as const
    informers.set(namespaces, [{ metadata: { name: 'default' }, spec: {} }])
    await apply([dns, service('web', { clusterIP: '10.222.0.20' })], [slice('dns', [endpoint(gateway)], { ports })])
    const asked = (name: string) => inside(pods[2], 'busybox', 'nslookup', name, clusterDns)
    expect(await asked('web.default.svc.cluster.local')).toContain('10.222.0.20')
    expect(await asked('none.default.svc.cluster.local')).toContain('NXDOMAIN')
    // The same question over TCP: length, id, flags, one question, name, type A, class IN.
    const name = '\\003web\\007default\\003svc\\007cluster\\005local\\000'
    const query = `\\000\\057\\000\\001\\001\\000\\000\\001\\000\\000\\000\\000\\000\\000${name}\\000\\001\\000\\001`
    const overTcp = await inside(
      pods[2],
      'sh',
      '-c',
      `(printf '${query}'; sleep 1) | nc -w 5 ${clusterDns} 53 | busybox hexdump -C`,
    )
    expect(overTcp).toContain('0a de 00 14')
  })
})
