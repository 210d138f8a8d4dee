/** A cluster's life through the command line, with simulated nodes: real processes, real files, no Docker. */

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { currentContextOf, entryOf, hasEntry } from '../../src/client/kubeconfig.ts'
import { type CommandLine, createCommandLine } from './command-line.ts'

let line: CommandLine

beforeAll(() => {
  line = createCommandLine()
})

afterAll(async () => {
  await line[Symbol.asyncDispose]()
})

const kubeconfig = () => readFileSync(line.kubeconfig, 'utf8')
const json = async (...words: readonly string[]) => JSON.parse((await line.run(...words, '-o', 'json')).stdout)

describe('one cluster', () => {
  test('comes up in the background, and its kubeconfig entry is current', async () => {
    const outcome = await line.run('up', '--detach', '--simulated', '--nodes=2', '--port=0', '--output=json')
    expect(outcome.code, outcome.stderr).toBe(0)
    const info = JSON.parse(outcome.stdout)
    expect(info).toMatchObject({ kind: 'ClusterInfo', metadata: { name: 't8s' }, status: { phase: 'Running' } })
    expect(info.status.nodes.toSorted()).toEqual(['t8s-node-0', 't8s-node-1'])
    expect(currentContextOf(kubeconfig())).toBe('t8s')
    expect(entryOf(kubeconfig())?.server).toBe(info.status.server)
    expect(statSync(join(line.home, 't8s')).mode & 0o077).toBe(0)
  })

  test('is found running, and a second up says so', async () => {
    expect(await json('status')).toMatchObject({ phase: 'Running', nodes: { total: 2, ready: 2 } })
    const again = await line.run('up', '--detach')
    expect(again.code).toBe(0)
    expect(again.stderr).toContain('already running')
  })

  test('takes a node, gives one up, and has the same nodes after a restart', async () => {
    expect((await line.run('create', 'node', 'extra', '--simulated')).stdout).toBe('node/extra created\n')
    expect((await line.run('delete', 'node', 't8s-node-0')).stdout).toBe('node/t8s-node-0 deleted\n')
    expect((await line.run('stop')).code).toBe(0)
    const stopped = await line.run('status')
    expect(stopped.code).toBe(1)
    expect(stopped.stdout).toContain('Cluster t8s is Stopped')
    const server = entryOf(kubeconfig())?.server
    expect((await line.run('start')).code).toBe(0)
    expect((await line.run('get', 'nodes', '-o', 'name')).stdout.split('\n').toSorted().filter(Boolean)).toEqual([
      'extra',
      't8s-node-1',
    ])
    expect(entryOf(kubeconfig())?.server).toBe(server)
  })

  test('keeps its address when it is started again with any port', async () => {
    const server = entryOf(kubeconfig())?.server
    expect((await line.run('stop')).code).toBe(0)
    expect((await line.run('up', '--detach', '--port=0')).code).toBe(0)
    expect(entryOf(kubeconfig())?.server).toBe(server)
  })

  test('lives beside a second one with ranges of its own', async () => {
    const two = await line.run('up', 'two', '--detach', '--simulated', '--port=0', '--keep-context')
    expect(two.code, two.stderr).toBe(0)
    const { items } = await json('get', 'clusters')
    expect(items.map(({ name, phase }: { name: string; phase: string }) => [name, phase])).toEqual([
      ['t8s', 'Running'],
      ['two', 'Running'],
    ])
    const ranges = ['t8s', 'two'].map((name) => {
      const { config } = JSON.parse(readFileSync(join(line.home, name, 'cluster.json'), 'utf8'))
      return config.podCidr
    })
    expect(new Set(ranges).size).toBe(2)
    expect(currentContextOf(kubeconfig())).toBe('t8s')
    expect(hasEntry(kubeconfig(), 't8s-two')).toBe(true)
  })

  test('signs a user of its own and explains itself', async () => {
    const user = await line.run('kubeconfig', '--user=jane', '--group=dev')
    expect(entryOf(user.stdout)?.name).toBe('t8s-jane')
    expect((await line.run('logs', '-o', 'json')).code).toBe(0)
    expect((await line.run('why', 'pod/nope')).stderr).toContain('There is no pod "nope"')
  })

  test('leaves nothing behind, even when its process was killed', async () => {
    const { pid } = await json('status', 'two')
    process.kill(pid, 'SIGKILL')
    for (const name of ['two', 't8s']) expect((await line.run('down', name)).code).toBe(0)
    expect(readdirSync(line.home)).toEqual([])
    expect(hasEntry(kubeconfig(), 't8s')).toBe(false)
    expect(hasEntry(kubeconfig(), 't8s-two')).toBe(false)
    expect((await line.run('down')).code).toBe(0)
  })
})

test('what cannot start in time is taken back', async () => {
  const outcome = await line.run('up', 'late', '--detach', '--simulated', '--port=0', '--timeout=1ms')
  expect(outcome.code).toBe(5)
  expect(outcome.stderr).toContain('reason: Timeout')
  expect(existsSync(join(line.home, 'late'))).toBe(false)
})

describe('in the foreground', () => {
  test('a signal stops the cluster and keeps its state', async () => {
    const outcome = await line.runUntil(/ready in/, 'SIGINT', 'up', 'front', '--simulated', '--port=0')
    expect(outcome.code, outcome.stderr).toBe(130)
    expect(JSON.parse((await line.run('status', 'front', '-o', 'json')).stdout)).toMatchObject({ phase: 'Stopped' })
    expect((await line.runUntil(/ready in/, 'SIGTERM', 'up', 'front')).code).toBe(143)
    expect((await line.run('down', 'front')).code).toBe(0)
  })

  test('a cluster in memory leaves nothing behind', async () => {
    const words = ['up', 'brief', '--simulated', '--port=0', '--data=memory']
    expect((await line.runUntil(/ready in/, 'SIGINT', ...words)).code).toBe(130)
    expect(existsSync(join(line.home, 'brief'))).toBe(false)
    expect(hasEntry(kubeconfig(), 't8s-brief')).toBe(false)
  })
})
