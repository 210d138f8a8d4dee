/** Packets between pods, nodes and the host, on two logical nodes of a real engine. */

import { execFile } from 'node:child_process'
import { connect } from 'node:net'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { updateHostRoutes } from '../../src/network/pods/host-routes.ts'
import { namespaceCommands } from '../../src/network/pods/namespace-command.ts'
import type { ContainerRuntime } from '../../src/node/runtime/runtime.ts'
import { containerConfig, eventually, sandboxConfig } from '../contracts/runtime-contract.ts'
import { createTestCluster, reasonToSkip, type TestCluster } from './docker-cluster.ts'

const skip = await reasonToSkip()
const run = promisify(execFile)

interface Pod {
  readonly runtime: ContainerRuntime
  readonly sandboxId: string
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

describe.skipIf(skip !== undefined)(`the pods’ network${skip === undefined ? '' : ` (${skip})`}`, () => {
  let cluster: TestCluster
  let runtimes: readonly ContainerRuntime[] = []
  const pods: Pod[] = []

  const start = async (runtime: ContainerRuntime, name: string): Promise<Pod> => {
    const sandbox = await runtime.runSandbox(sandboxConfig(name))
    const image = { reference: cluster.image, id: (await runtime.image(cluster.image))?.id ?? '' }
    const command = ['nc', '-ll', '-p', '8080', '-e', 'printf', name]
    const security = { ...containerConfig(image).security, user: 0 }
    const id = await runtime.createContainer(sandbox.id, containerConfig(image, { command, security }))
    await runtime.startContainer(id)
    return { runtime, sandboxId: sandbox.id, id, ip: sandbox.ips[0] ?? '' }
  }

  /** The output of a command in a pod. */
  const inside = async (pod: Pod | undefined, ...command: readonly string[]): Promise<string> => {
    const stdout = new PassThrough()
    const output = text(stdout)
    await pod?.runtime.exec(pod.id, command, { stdout, stderr: stdout }, { tty: false })
    stdout.end()
    return (await output).trim()
  }

  beforeAll(async () => {
    cluster = await createTestCluster('network', '10.213.0.0/16', 2)
    runtimes = await Promise.all(cluster.nodes.map(({ openRuntime }) => openRuntime()))
    const [first, second] = runtimes
    if (!first || !second) throw new Error('two nodes are needed')
    pods.push(await start(first, 'a'), await start(first, 'b'), await start(second, 'c'))
    for (const { ip } of pods) await eventually(async () => ((await dial(ip, 8080)).length === 1 ? true : undefined))
  })
  afterAll(async () => {
    for (const runtime of runtimes) await runtime[Symbol.asyncDispose]()
    await cluster?.[Symbol.asyncDispose]()
  })

  test('pods reach each other and themselves, on one node and on two', async () => {
    for (const from of pods)
      for (const [index, { ip }] of pods.entries())
        expect(await inside(from, 'nc', '-w', '5', ip, '8080')).toBe('abc'[index])
  })

  test('a pod keeps its address towards the host, which reaches it by a route', async () => {
    for (const [index, { ip }] of pods.entries()) expect(await dial(ip, 8080)).toBe('abc'[index])
    const gateway = cluster.nodes[0]?.node.gateway ?? ''
    expect(await inside(pods[0], 'ping', '-c', '1', '-W', '5', gateway)).toContain('1 packets received')
  })

  test('an address of the service range that belongs to nothing is refused at once, from everywhere', async () => {
    const address = cluster.serviceCidr.replace('.0.0/16', '.3.4')
    for (let time = 0; time < 3; time++) expect(await dial(address, 80)).toBe('ECONNREFUSED')
    expect(await inside(pods[0], 'nc', '-w', '30', address, '80')).toContain('Connection refused')
    const pid = String(cluster.nodes[0]?.node.pid)
    const onNode = run('nsenter', ['-t', pid, '-n', 'busybox', 'nc', '-w', '30', address, '80'])
    await expect(onNode).rejects.toThrow('Connection refused')
  })

  test('a pod address that no node has is unreachable at once from the host', async () => {
    expect(await dial('10.213.200.7', 80)).toBe('EHOSTUNREACH')
  })

  test('a pod that leaves frees its interface, and two clusters cannot have one range', async () => {
    const [first] = runtimes
    if (!first) throw new Error('no node')
    const pod = await start(first, 'd')
    const pid = cluster.nodes[0]?.node.pid ?? 0
    const interfaces = async () => (await namespaceCommands.query(pid, ['link', 'show', 'master', 'cni0'])).length
    expect(await interfaces()).toBe(3)
    await first.removeSandbox(pod.sandboxId)
    await first.removeContainer(pod.id)
    expect(await interfaces()).toBe(2)
    const same = { clusterName: 'another', clusterPodCidr: '10.213.0.0/16', serviceCidr: '10.218.0.0/16' }
    await expect(updateHostRoutes(namespaceCommands, same, [])).rejects.toThrow('another cluster')
  })
})
