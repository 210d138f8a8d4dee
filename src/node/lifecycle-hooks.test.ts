import { expect, test } from 'vitest'
import { container, pod } from '../../test/support/builders.ts'
import type { LifecycleHandler } from '../apis/core/types.gen.ts'
import { createFakeClock } from '../base/fake-clock.ts'
import { seededRandom } from '../base/random.ts'
import { createHookRunner } from './lifecycle-hooks.ts'
import { createSimulatedRuntime } from './runtime/simulated-runtime.ts'

/** Runs one handler in a container whose commands end with the code that they are called. */
async function run(handler: LifecycleHandler, { status = 200, limitMs }: { status?: number; limitMs?: number } = {}) {
  const clock = createFakeClock()
  const network = { attach: async () => ({ ips: ['10.0.0.5'] }), detach: async () => {} }
  const runtime = createSimulatedRuntime({
    clock,
    random: seededRandom(1),
    network,
    behavior: async (process) => {
      process.exec(async ({ command }) =>
        command[0] === 'hang' ? await new Promise(() => {}) : { code: Number(command[0]) },
      )
      await process.sleep(Number.MAX_SAFE_INTEGER)
    },
  })
  const identity = { uid: 'uid-1', namespace: 'default', name: 'web-0' }
  const shared = { hostNetwork: false, hostPid: false, hostIpc: false, shareProcessNamespace: false }
  const sandbox = await runtime.runSandbox({
    pod: identity,
    attempt: 0,
    hostname: 'web-0',
    sysctls: {},
    annotations: {},
    ...shared,
  })
  const spec = container()
  const id = await runtime.createContainer(sandbox.id, {
    name: 'app',
    attempt: 0,
    image: 'app:1',
    imageId: 'sha256:1',
    environment: [],
    mounts: [],
    stdin: false,
    stdinOnce: false,
    tty: false,
    resources: { cpuShares: 2, oomScoreAdjust: 0 },
    security: {
      supplementalGroups: [],
      privileged: false,
      noNewPrivileges: false,
      addCapabilities: [],
      dropCapabilities: [],
      readOnlyRootFilesystem: false,
      seccomp: 'runtime-default',
      unmaskedProc: false,
    },
    annotations: {},
  })
  await runtime.startContainer(id)
  await clock.advance(0)
  const asked: string[] = []
  const http = async ({
    host,
    port,
    path,
  }: {
    readonly host: string
    readonly port: number
    readonly path: string
  }) => {
    asked.push(`${host}:${port}${path}`)
    return { status, body: '' }
  }
  const startedMs = clock.now()
  const hooks = createHookRunner({ runtime, clock, http })
  let endedMs: number | undefined
  const running = hooks
    .run(pod({ metadata: { uid: 'uid-1' } }), { kind: 'main', spec }, id, handler, limitMs)
    .finally(() => {
      endedMs = clock.now()
    })
  await clock.advance(60_000)
  const failure = await running
  return { failure, asked, tookMs: (endedMs ?? 0) - startedMs }
}

test('a command succeeds with code 0 and fails with every other', async () => {
  expect((await run({ exec: { command: ['0'] } })).failure).toBeUndefined()
  expect((await run({ exec: { command: ['7', 'x'] } })).failure).toBe("command '7 x' exited with 7")
})

test('a request goes to the pod and fails as its status says', async () => {
  const httpGet = { path: '/bye', port: 8080 }
  expect(await run({ httpGet })).toMatchObject({ failure: undefined, asked: ['10.0.0.5:8080/bye'] })
  expect((await run({ httpGet }, { status: 500 })).failure).toContain('500')
})

test('a sleep takes its time', async () => {
  expect(await run({ sleep: { seconds: 5 } })).toMatchObject({ failure: undefined, tookMs: 5_000 })
})

test('nothing takes longer than its limit', async () => {
  const { failure, tookMs } = await run({ exec: { command: ['hang'] } }, { limitMs: 3_000 })
  expect([failure !== undefined, tookMs]).toEqual([true, 3_000])
  expect((await run({ sleep: { seconds: 50 } }, { limitMs: 3_000 })).tookMs).toBe(3_000)
})
