/** The runtime contract on a real engine, and what only real processes show. */

import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ContainerRuntime, ContainerSecurity } from '../../src/node/runtime/runtime.ts'
import {
  exited,
  type Running,
  type RuntimeHarness,
  runtimeContract,
  type Script,
  startContainer,
  statusOf,
} from '../contracts/runtime-contract.ts'
import { createTestCluster, reasonToSkip, type TestCluster } from './docker-cluster.ts'

const skip = await reasonToSkip()

async function open(name: string, podCidr: string): Promise<RuntimeHarness & { readonly cluster: TestCluster }> {
  const cluster = await createTestCluster(name, podCidr, 1)
  const [node] = cluster.nodes
  if (!node) throw new Error('no node')
  const runtime = await node.openRuntime()
  return {
    cluster,
    runtime,
    image: cluster.image,
    following: (script) => ({ command: ['sh', '-c', shellOf(script)], environment: [] }),
    execCopy: ['cat'],
    execFail: ['sh', '-c', 'echo out; echo err >&2; exit 7'],
    passGrace: async () => {},
    restart: node.openRuntime,
    async [Symbol.asyncDispose]() {
      await runtime[Symbol.asyncDispose]()
      await cluster[Symbol.asyncDispose]()
    },
  }
}

function shellOf({ lines = [], serves, exits, ignoresStop }: Script): string {
  return [
    ignoresStop ? "trap '' TERM" : 'trap "exit 0" TERM',
    ...lines.map(({ stream, text: line }) => `echo ${line} >&${stream === 'stdout' ? 1 : 2}`),
    ...(serves === undefined ? [] : [`nc -ll -p ${serves} -e printf hello &`]),
    exits === undefined ? 'while true; do sleep 1000 & wait $!; done' : `exit ${exits}`,
  ].join('\n')
}

describe.skipIf(skip !== undefined)(`on Docker${skip === undefined ? '' : ` (${skip})`}`, () => {
  runtimeContract('Docker', () => open('contract', '10.211.0.0/16'))

  describe('real processes', () => {
    let harness: RuntimeHarness
    let runtime: ContainerRuntime
    beforeAll(async () => {
      harness = await open('processes', '10.212.0.0/16')
      runtime = harness.runtime
    })
    afterAll(async () => {
      await harness?.[Symbol.asyncDispose]()
    })

    const outputOf = async ({ id }: Running, ...command: readonly string[]): Promise<string> => {
      const stdout = new PassThrough()
      const output = text(stdout)
      await runtime.exec(id, command, { stdout, stderr: stdout }, { tty: false })
      stdout.end()
      return (await output).trim()
    }
    const done = async ({ sandbox, id }: Running) => {
      await runtime.removeSandbox(sandbox.id)
      await runtime.removeContainer(id)
    }
    const base: ContainerSecurity = {
      supplementalGroups: [],
      privileged: false,
      noNewPrivileges: false,
      addCapabilities: [],
      dropCapabilities: [],
      readOnlyRootFilesystem: false,
      seccomp: 'runtime-default',
      unmaskedProc: false,
    }

    test('a program that does not exist is a start error', async () => {
      const starting = startContainer(harness, 'missing', {}, { container: { command: ['/no/such/program'] } })
      await expect(starting).rejects.toMatchObject({ reason: 'RunContainerError' })
      const [status] = await runtime.containers('uid-of-missing')
      expect(status).toMatchObject({ state: 'exited', exitCode: 128, reason: 'StartError' })
      expect(status?.message).toContain('/no/such/program')
      await runtime.removeSandbox(status?.sandboxId ?? '')
      await runtime.removeContainer(status?.id ?? '')
    })

    test('lines of more than 16 KiB come out whole', async () => {
      const command = ['sh', '-c', 'i=0; while [ $i -lt 4000 ]; do printf 0123456789; i=$((i+1)); done; echo; echo end']
      for (const tty of [false, true]) {
        const running = await startContainer(harness, `long-${tty}`, {}, { container: { command, tty } })
        await exited(runtime, running.id)
        const lines: string[] = []
        for await (const { bytes } of runtime.logs(running.id, { follow: false }))
          lines.push(`${Buffer.from(bytes)}`.trimEnd())
        expect(lines).toEqual(['0123456789'.repeat(4000), 'end'])
        await done(running)
      }
    })

    test('who a process is follows the security settings', async () => {
      const security = { ...base, user: 1001, group: 2002, supplementalGroups: [3003] }
      const running = await startContainer(harness, 'who', {}, { container: { security } })
      expect(await outputOf(running, 'id')).toBe('uid=1001 gid=2002 groups=2002,3003')
      await done(running)
      const groupOnly = await startContainer(
        harness,
        'group',
        {},
        { container: { security: { ...base, group: 2002 } } },
      )
      expect(await outputOf(groupOnly, 'id')).toContain('uid=1234 gid=2002')
      await done(groupOnly)
    })

    test('a privileged container may do what the machine allows', async () => {
      const security = { ...base, user: 0, privileged: true }
      const running = await startContainer(harness, 'privileged', {}, { container: { security } })
      expect(await outputOf(running, 'sh', '-c', 'ip link add br7 type bridge && echo added')).toBe('added')
      expect(await outputOf(running, 'cat', '/proc/self/status')).toMatch(/Seccomp:\s+0/)
      await done(running)
      const plain = await startContainer(harness, 'plain', {}, { container: { security: { ...base, user: 0 } } })
      expect(await outputOf(plain, 'ip', 'link', 'add', 'br7', 'type', 'bridge')).toContain('Operation not permitted')
      await done(plain)
    })

    test('a read-only root, no new privileges, dropped capabilities', async () => {
      const security = { ...base, readOnlyRootFilesystem: true, noNewPrivileges: true, dropCapabilities: ['ALL'] }
      const running = await startContainer(harness, 'confined', {}, { container: { security } })
      expect(await outputOf(running, 'sh', '-c', 'echo x > /file')).toContain('Read-only file system')
      const status = await outputOf(running, 'cat', '/proc/self/status')
      expect(status).toMatch(/NoNewPrivs:\s+1/)
      expect(status).toMatch(/CapBnd:\s+0+$/m)
      await done(running)
    })

    test('containers share the sandbox’s host name, sysctls and, when asked, processes', async () => {
      const sandbox = { shareProcessNamespace: true, sysctls: { 'kernel.shm_rmid_forced': '1' } }
      const running = await startContainer(
        harness,
        'shares',
        {},
        { sandbox, container: { security: { ...base, user: 0 } } },
      )
      expect(await outputOf(running, 'hostname')).toBe('shares')
      expect(await outputOf(running, 'cat', '/proc/sys/kernel/shm_rmid_forced')).toBe('1')
      expect(await outputOf(running, 'cat', '/proc/1/comm')).toBe('pause')
      await done(running)
    })

    test('a terminal has the size that it is told', async () => {
      const running = await startContainer(harness, 'terminal', {})
      async function* sizes() {
        yield { width: 111, height: 33 }
      }
      const stdout = new PassThrough()
      const output = text(stdout)
      const command = ['sh', '-c', 'until s=$(stty size 2>&1); [ "$s" = "33 111" ]; do :; done; echo $s']
      expect(await runtime.exec(running.id, command, { stdout, resize: sizes() }, { tty: true })).toBe(0)
      stdout.end()
      expect((await output).trim()).toBe('33 111')
      await done(running)
    })

    test('memory beyond the limit is an OOM kill', async () => {
      const resources = { cpuShares: 2, oomScoreAdjust: 1000, memoryLimitBytes: 16_777_216 }
      const command = ['sh', '-c', 'x=0123456789abcdef; while true; do x=$x$x; done']
      const running = await startContainer(harness, 'greedy', {}, { container: { resources, command } })
      expect(await exited(runtime, running.id)).toMatchObject({ exitCode: 137, reason: 'OOMKilled' })
      await done(running)
    })

    test('limits change while a container runs', async () => {
      const resources = { cpuShares: 2, oomScoreAdjust: 1000, memoryLimitBytes: 67_108_864 }
      const running = await startContainer(harness, 'resized', {}, { container: { resources } })
      await runtime.updateContainer(running.id, { ...resources, memoryLimitBytes: 134_217_728 })
      const files = '/sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes'
      expect(await outputOf(running, 'sh', '-c', `cat ${files} 2>/dev/null`)).toBe('134217728')
      await done(running)
    })

    test('a process that reads its input is attached to', async () => {
      const container = { command: ['sh', '-c', 'read line; echo got $line'], stdin: true, stdinOnce: true }
      const running = await startContainer(harness, 'reads', {}, { container })
      const stdin = new PassThrough()
      const stdout = new PassThrough()
      const output = text(stdout)
      const attached = runtime.attach(running.id, { stdin, stdout })
      stdin.write('word\n')
      await attached
      stdout.end()
      expect(await output).toBe('got word\n')
      await done(running)
    })

    test('the image’s user is known', async () => {
      expect(await runtime.image(harness.image)).toMatchObject({ tags: [harness.image], user: { uid: 1234 } })
      expect((await runtime.images()).map(({ tags }) => tags)).toContainEqual([harness.image])
    })

    test('a container made again before it ever ran replaces the first', async () => {
      const running = await startContainer(harness, 'twice', { exits: 0 })
      await exited(runtime, running.id)
      const status = await statusOf(runtime, running.id)
      expect(status?.attempt).toBe(0)
      await done(running)
    })
  })
})
