import { describe, expect, test } from 'vitest'
import type { NamespaceCommands } from './namespace-command.ts'
import { bridgeChanges, createNodeNetwork, type NodeNetwork } from './node-network.ts'
import { createAddressNetwork, createPodNetwork, readConnections } from './pod-network.ts'

const node = { nodeName: 'node-1', pid: 100, ip: '172.30.0.2', networkCidr: '172.30.0.0/24' }

/** Remembers what was run, and answers queries with what is given. */
function recorder(interfaces: readonly unknown[] = []) {
  const lines: string[] = []
  const commands: NamespaceCommands = {
    ip: async (namespace, batch) => void lines.push(...batch.map((line) => `${namespace}: ${line}`)),
    query: async (_, words) => (words[0] === 'route' ? [] : interfaces),
    nft: async (namespace) => void lines.push(`${namespace}: nft`),
  }
  return { commands, lines }
}

const network: NodeNetwork = { node, podCidr: '10.244.1.0/24', update: async () => {} }
const pod = (uid: string, pid: number) => ({ uid, namespace: 'default', name: uid, pid })

describe('a pod', () => {
  test('is connected to its node by a pair of interfaces and routes everything through it', async () => {
    const { commands, lines } = recorder()
    const pods = createPodNetwork(commands, network)
    expect(await pods.attach(pod('a', 200))).toEqual({ ips: ['10.244.1.2'] })
    expect(lines).toEqual([
      '100: link add veth0 type veth peer name eth0 address 0a:58:0a:f4:01:02 netns 200',
      '100: link set veth0 alias t8s/a/10.244.1.2/200',
      '100: link set veth0 master cni0 up',
      '100: link set veth0 type bridge_slave hairpin on',
      '200: link set lo up',
      '200: address add 10.244.1.2/32 dev eth0',
      '200: link set eth0 up',
      '200: route add 10.244.1.1 dev eth0 scope link',
      '200: route add default via 10.244.1.1 dev eth0',
    ])
  })

  test('keeps its address while its namespace is the same, and gets another with another', async () => {
    const { commands, lines } = recorder()
    const pods = createPodNetwork(commands, network)
    await pods.attach(pod('a', 200))
    lines.length = 0
    expect(await pods.attach(pod('a', 200))).toEqual({ ips: ['10.244.1.2'] })
    expect(lines).toEqual([])
    expect(await pods.attach(pod('a', 201))).toEqual({ ips: ['10.244.1.3'] })
    expect(lines[0]).toBe('100: link del veth0')
  })

  test('is found by the alias of its interface after a restart; what nobody signed goes', async () => {
    const { commands, lines } = recorder([
      { ifname: 'veth0', ifalias: 't8s/a/10.244.1.7/200' },
      { ifname: 'veth1' },
      { ifname: 'eth0' },
    ])
    const pods = createPodNetwork(commands, network)
    expect(await pods.attach(pod('a', 200))).toEqual({ ips: ['10.244.1.7'] })
    expect(lines).toEqual(['100: link del veth1'])
    expect(await pods.attach(pod('b', 300))).toEqual({ ips: ['10.244.1.8'] })
  })

  test('gives its address back when it could not be connected', async () => {
    const { commands } = recorder()
    const failing = {
      ...commands,
      ip: async (namespace: number | 'host') => {
        if (namespace === 200) throw new Error('the namespace is gone')
      },
    }
    const pods = createPodNetwork(failing, network)
    await expect(pods.attach(pod('a', 200))).rejects.toThrow('the namespace is gone')
    await expect(pods.attach(pod('a', 200))).rejects.toThrow('the namespace is gone')
    await pods.detach('unknown')
  })

  test('has to wait for the range of its node', async () => {
    const pods = createPodNetwork(recorder().commands, { ...network, podCidr: undefined })
    await expect(pods.attach(pod('a', 200))).rejects.toThrow('node node-1 has no range for its pods yet')
  })
})

test('aliases of others are not ours', () => {
  const found = readConnections([{ ifname: 'x', ifalias: 'something' }, { ifname: 'y', ifalias: 't8s/a' }, {}, 'z'])
  expect(found.size).toBe(0)
})

test('a node gets bridge, rules and routes, and is left alone when they are right', async () => {
  const { commands, lines } = recorder()
  const options = { commands, node, clusterPodCidr: '10.244.0.0/16', serviceCidr: '10.96.0.0/16' }
  const created = createNodeNetwork(options)
  expect(created.podCidr).toBeUndefined()
  await created.update('10.244.1.0/24', [
    { ip: '172.30.0.2', podCidr: '10.244.1.0/24' },
    { ip: '172.30.0.3', podCidr: '10.244.2.0/24' },
  ])
  expect(created.podCidr).toBe('10.244.1.0/24')
  expect(lines).toEqual([
    '100: link add cni0 type bridge',
    '100: address add 10.244.1.1/24 dev cni0',
    '100: link set cni0 up',
    '100: nft',
    '100: route add 10.244.2.0/24 via 172.30.0.3 proto 116',
  ])
  lines.length = 0
  await created.update('10.244.1.0/24', [])
  expect(lines).toEqual([])
})

test('a bridge with another address gets the right one', () => {
  const bridge = { ifname: 'cni0', addr_info: [{ local: '10.244.9.1', prefixlen: 24 }] }
  expect(bridgeChanges([bridge], '10.244.1.1/24')).toEqual([
    'address del 10.244.9.1/24 dev cni0',
    'address add 10.244.1.1/24 dev cni0',
    'link set cni0 up',
  ])
})

test('simulated pods have addresses only', async () => {
  let podCidr: string | undefined
  const pods = createAddressNetwork(() => podCidr)
  await expect(pods.attach(pod('a', 0))).rejects.toThrow('no range')
  podCidr = '10.244.1.0/24'
  expect(await pods.attach(pod('a', 0))).toEqual({ ips: ['10.244.1.2'] })
  expect(await pods.attach(pod('a', 0))).toEqual({ ips: ['10.244.1.2'] })
  await pods.detach('a')
  expect(await pods.attach(pod('b', 0))).toEqual({ ips: ['10.244.1.3'] })
})
