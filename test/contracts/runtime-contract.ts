/**
 * What every container runtime promises. A harness gives a runtime and containers that follow a script; the same tests
 * then run against real processes and simulated ones.
 */

import { PassThrough, type Readable, type Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type {
  ContainerConfig,
  ContainerRuntime,
  ContainerStatus,
  SandboxConfig,
  SandboxStatus,
} from '../../src/node/runtime/runtime.ts'

/** What a container of these tests does: it writes lines, may serve a port, and exits or runs until it is stopped. */
export interface Script {
  readonly lines?: readonly { readonly stream: 'stdout' | 'stderr'; readonly text: string }[]
  /** Answers every connection with `hello`. */
  readonly serves?: number
  /** Undefined: runs until the stop signal, and then exits with 0. */
  readonly exits?: number
  /** Goes on after the stop signal. */
  readonly ignoresStop?: boolean
}

export interface RuntimeHarness extends AsyncDisposable {
  readonly runtime: ContainerRuntime
  /** An image that is present. */
  readonly image: string
  /** What makes a container follow the script. */
  following(script: Script): Pick<ContainerConfig, 'command' | 'environment'>
  /** Commands for `exec`: copies its input to its output, exits with 7 after a word on each stream. */
  readonly execCopy: readonly string[]
  readonly execFail: readonly string[]
  /** Lets the time pass that a stop with a grace period of one second needs. */
  passGrace(): Promise<void>
  /** Starts the runtime anew over what the last one left; undefined where nothing is left. */
  restart?(): Promise<ContainerRuntime>
}

const plainSecurity: ContainerConfig['security'] = {
  supplementalGroups: [],
  privileged: false,
  noNewPrivileges: false,
  addCapabilities: [],
  dropCapabilities: [],
  readOnlyRootFilesystem: false,
  seccomp: 'runtime-default',
  unmaskedProc: false,
}

export function sandboxConfig(name: string, changes: Partial<SandboxConfig> = {}): SandboxConfig {
  return {
    pod: { uid: `uid-of-${name}`, namespace: 'default', name },
    attempt: 0,
    hostname: name,
    hostNetwork: false,
    hostPid: false,
    hostIpc: false,
    shareProcessNamespace: false,
    sysctls: {},
    annotations: {},
    ...changes,
  }
}

export function containerConfig(
  image: { readonly reference: string; readonly id: string },
  changes: Partial<ContainerConfig> = {},
): ContainerConfig {
  return {
    name: 'main',
    attempt: 0,
    image: image.reference,
    imageId: image.id,
    environment: [],
    mounts: [],
    stdin: false,
    stdinOnce: false,
    tty: false,
    resources: { cpuShares: 2, oomScoreAdjust: 1000 },
    security: plainSecurity,
    annotations: {},
    ...changes,
  }
}

/** Waits on a condition that something else brings about; the test's own limit ends it. */
export async function eventually<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

export interface Running {
  readonly sandbox: SandboxStatus
  readonly id: string
}

export async function startContainer(
  { runtime, image, following }: RuntimeHarness,
  name: string,
  script: Script,
  changes: { readonly sandbox?: Partial<SandboxConfig>; readonly container?: Partial<ContainerConfig> } = {},
): Promise<Running> {
  const sandbox = await runtime.runSandbox(sandboxConfig(name, changes.sandbox))
  const found = await runtime.image(image)
  const config = containerConfig(
    { reference: image, id: found?.id ?? '' },
    { ...following(script), ...changes.container },
  )
  const id = await runtime.createContainer(sandbox.id, config)
  await runtime.startContainer(id)
  return { sandbox, id }
}

export async function statusOf(runtime: ContainerRuntime, id: string): Promise<ContainerStatus | undefined> {
  return (await runtime.containers()).find((container) => container.id === id)
}

export function exited(runtime: ContainerRuntime, id: string): Promise<ContainerStatus> {
  return eventually(async () => {
    const status = await statusOf(runtime, id)
    return status?.state === 'exited' ? status : undefined
  })
}

async function logText(runtime: ContainerRuntime, id: string, follow = false): Promise<readonly string[]> {
  const lines: string[] = []
  for await (const { stream, bytes } of runtime.logs(id, { follow })) lines.push(`${stream} ${Buffer.from(bytes)}`)
  return lines
}

async function cleanUp(runtime: ContainerRuntime, { sandbox, id }: Running): Promise<void> {
  await runtime.removeSandbox(sandbox.id)
  await runtime.removeContainer(id)
}

async function runCommand(
  runtime: ContainerRuntime,
  id: string,
  command: readonly string[],
  input?: Readable,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const stdout = new PassThrough()
  const stderr = new PassThrough()
  const ends: readonly Writable[] = [stdout, stderr]
  const output = [text(stdout), text(stderr)] as const
  const code = await runtime.exec(id, command, { stdin: input, stdout, stderr }, { tty: false })
  for (const end of ends) end.end()
  return { code, stdout: await output[0], stderr: await output[1] }
}

export function runtimeContract(name: string, open: () => Promise<RuntimeHarness>): void {
  describe(`the container runtime contract: ${name}`, () => {
    let harness: RuntimeHarness
    beforeAll(async () => {
      harness = await open()
    })
    afterAll(async () => {
      await harness?.[Symbol.asyncDispose]()
    })
    sandboxTests(() => harness)
    lifeTests(() => harness)
    noticeTests(() => harness)
    logTests(() => harness)
    processTests(() => harness)
  })
}

function sandboxTests(harness: () => RuntimeHarness): void {
  test('a sandbox has an address and is listed until it is removed', async () => {
    const { runtime } = harness()
    const sandbox = await runtime.runSandbox(sandboxConfig('listed'))
    expect(sandbox).toMatchObject({ state: 'ready', attempt: 0, hostNetwork: false, pod: { name: 'listed' } })
    expect(sandbox.ips).toHaveLength(1)
    expect(await runtime.sandboxes('uid-of-listed')).toEqual([{ ...sandbox, createdAtMs: expect.any(Number) }])
    expect(await runtime.sandboxes('uid-of-another')).toEqual([])
    await runtime.removeSandbox(sandbox.id)
    await runtime.removeSandbox(sandbox.id)
    expect(await runtime.sandboxes('uid-of-listed')).toEqual([])
  })

  test('a sandbox in the node’s network has no address of its own', async () => {
    const { runtime } = harness()
    const sandbox = await runtime.runSandbox(sandboxConfig('on-host', { hostNetwork: true }))
    expect(sandbox).toMatchObject({ state: 'ready', ips: [], hostNetwork: true })
    await runtime.removeSandbox(sandbox.id)
  })

  test('sandboxes that exist at the same time have different addresses', async () => {
    const { runtime } = harness()
    const names = ['one', 'two', 'three']
    const sandboxes = await Promise.all(names.map((name) => runtime.runSandbox(sandboxConfig(name))))
    expect(new Set(sandboxes.flatMap(({ ips }) => ips)).size).toBe(3)
    await Promise.all(sandboxes.map(({ id }) => runtime.removeSandbox(id)))
  })

  test('removing a sandbox ends its containers, whose status and log stay', async () => {
    const { runtime } = harness()
    const running = await startContainer(harness(), 'ended', { lines: [{ stream: 'stdout', text: 'here' }] })
    await eventually(async () => ((await logText(runtime, running.id)).length > 0 ? true : undefined))
    await runtime.removeSandbox(running.sandbox.id)
    expect(await exited(runtime, running.id)).toMatchObject({ state: 'exited', exitCode: 137, reason: 'Error' })
    expect(await logText(runtime, running.id)).toEqual(['stdout here\n'])
    await runtime.removeContainer(running.id)
    expect(await statusOf(runtime, running.id)).toBeUndefined()
  })
}

function lifeTests(harness: () => RuntimeHarness): void {
  test('a container goes from created to running and keeps what it was given', async () => {
    const { runtime, image, following } = harness()
    const sandbox = await runtime.runSandbox(sandboxConfig('life'))
    const found = await runtime.image(image)
    const annotations = { hash: '42' }
    const config = containerConfig(
      { reference: image, id: found?.id ?? '' },
      { ...following({}), attempt: 3, annotations },
    )
    const id = await runtime.createContainer(sandbox.id, config)
    expect(await statusOf(runtime, id)).toMatchObject({ state: 'created', sandboxId: sandbox.id, name: 'main' })
    await runtime.startContainer(id)
    expect(await runtime.containers('uid-of-life')).toMatchObject([
      { id, state: 'running', attempt: 3, image, imageId: found?.id, annotations, startedAtMs: expect.any(Number) },
    ])
    expect(await runtime.usage(id)).toMatchObject({ cpuNanoseconds: expect.any(Number) })
    await cleanUp(runtime, { sandbox, id })
  })

  for (const [exits, reason] of [
    [0, 'Completed'],
    [3, 'Error'],
  ] as const) {
    test(`a container that ends with ${exits} is reported as ${reason}`, async () => {
      const { runtime } = harness()
      const running = await startContainer(harness(), `exits-${exits}`, { exits })
      const status = await exited(runtime, running.id)
      expect(status).toMatchObject({ exitCode: exits, reason })
      expect(status.finishedAtMs).toBeGreaterThanOrEqual(status.startedAtMs ?? Number.POSITIVE_INFINITY)
      expect(await runtime.usage(running.id)).toBeUndefined()
      await cleanUp(runtime, running)
    })
  }

  test('stopping sends the stop signal and waits for the end', async () => {
    const { runtime } = harness()
    const running = await startContainer(harness(), 'polite', {})
    await runtime.stopContainer(running.id, 30)
    expect(await statusOf(runtime, running.id)).toMatchObject({ state: 'exited', exitCode: 0, reason: 'Completed' })
    await runtime.stopContainer(running.id, 30)
    await cleanUp(runtime, running)
  })

  test('a container that ignores the stop signal is killed after the grace period', async () => {
    const { runtime, passGrace } = harness()
    const running = await startContainer(harness(), 'stubborn', { ignoresStop: true })
    const stopped = runtime.stopContainer(running.id, 1)
    await passGrace()
    await stopped
    expect(await statusOf(runtime, running.id)).toMatchObject({ state: 'exited', exitCode: 137, reason: 'Error' })
    await cleanUp(runtime, running)
  })
}

function noticeTests(harness: () => RuntimeHarness): void {
  test('events name the pod of a container that ends', async () => {
    const { runtime } = harness()
    const stop = new AbortController()
    const events = runtime.events(stop.signal)[Symbol.asyncIterator]()
    const running = await startContainer(harness(), 'noticed', { exits: 1 })
    for (;;) {
      const { value } = await events.next()
      if (value?.podUid !== 'uid-of-noticed') continue
      if ((await statusOf(runtime, running.id))?.state === 'exited') break
    }
    stop.abort()
    await cleanUp(runtime, running)
    while (!(await events.next()).done);
  })

  test('what is not there is refused or ignored, as the verb wants it', async () => {
    const { runtime } = harness()
    await expect(runtime.pullImage('Not A Reference')).rejects.toMatchObject({ reason: 'InvalidImageName' })
    expect(await runtime.image('example.invalid/no/such:image')).toBeUndefined()
    const config = containerConfig({ reference: 'x', id: 'x' })
    await expect(runtime.createContainer('0'.repeat(64), config)).rejects.toMatchObject({
      reason: 'CreateContainerError',
    })
    await runtime.removeContainer('0'.repeat(64))
    await runtime.stopContainer('0'.repeat(64), 1)
    await runtime.removeSandbox('0'.repeat(64))
    expect(await runtime.usage('0'.repeat(64))).toBeUndefined()
  })
}

function logTests(harness: () => RuntimeHarness): void {
  const lines = [
    { stream: 'stdout', text: 'one' },
    { stream: 'stderr', text: 'two' },
    { stream: 'stdout', text: 'three' },
  ] as const

  test('the log has every line of both streams, with times', async () => {
    const { runtime } = harness()
    const running = await startContainer(harness(), 'talks', { lines, exits: 0 })
    await exited(runtime, running.id)
    expect((await logText(runtime, running.id)).toSorted()).toEqual(['stderr two\n', 'stdout one\n', 'stdout three\n'])
    for await (const { timestamp } of runtime.logs(running.id, { follow: false }))
      expect(timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/)
    await cleanUp(runtime, running)
  })

  test('a tail is the last lines, and since leaves out what is older', async () => {
    const { runtime } = harness()
    const script = { lines: lines.filter(({ stream }) => stream === 'stdout'), exits: 0 }
    const running = await startContainer(harness(), 'tails', script)
    const { finishedAtMs = 0 } = await exited(runtime, running.id)
    const read = async (options: { tailLines?: number; sinceMs?: number }) => {
      const found: string[] = []
      for await (const { bytes } of runtime.logs(running.id, { follow: false, ...options }))
        found.push(`${Buffer.from(bytes)}`)
      return found
    }
    expect(await read({ tailLines: 1 })).toEqual(['three\n'])
    expect(await read({ tailLines: 0 })).toEqual([])
    expect(await read({ sinceMs: finishedAtMs - 600_000 })).toEqual(['one\n', 'three\n'])
    expect(await read({ sinceMs: finishedAtMs + 600_000 })).toEqual([])
    await cleanUp(runtime, running)
  })

  test('following a log ends when the container does', async () => {
    const { runtime } = harness()
    const running = await startContainer(harness(), 'followed', { lines: lines.slice(0, 1) })
    const reading = logText(runtime, running.id, true)
    await runtime.stopContainer(running.id, 30)
    expect(await reading).toEqual(['stdout one\n'])
    await cleanUp(runtime, running)
  })

  test('following a log ends when nobody wants it any more', async () => {
    const { runtime } = harness()
    const running = await startContainer(harness(), 'unfollowed', { lines: lines.slice(0, 1) })
    const stop = new AbortController()
    for await (const _ of runtime.logs(running.id, { follow: true }, stop.signal)) stop.abort()
    await cleanUp(runtime, running)
  })
}

function processTests(harness: () => RuntimeHarness): void {
  test('a command gets its input to the end and gives its output and exit code', async () => {
    const { runtime, execCopy, execFail } = harness()
    const running = await startContainer(harness(), 'executes', {})
    const input = new PassThrough()
    input.end('over and out')
    expect(await runCommand(runtime, running.id, execCopy, input)).toEqual({
      code: 0,
      stdout: 'over and out',
      stderr: '',
    })
    expect(await runCommand(runtime, running.id, execFail)).toEqual({ code: 7, stdout: 'out\n', stderr: 'err\n' })
    await cleanUp(runtime, running)
    await expect(runCommand(runtime, running.id, execCopy)).rejects.toMatchObject({ name: 'RuntimeError' })
  })

  test('an attached stream ends when the container does', async () => {
    const { runtime } = harness()
    const running = await startContainer(harness(), 'attached', {})
    const attached = runtime.attach(running.id, { stdout: new PassThrough() })
    await runtime.stopContainer(running.id, 30)
    await attached
    await cleanUp(runtime, running)
  })

  test('a port of the pod is reached, whichever address it listens on, and a closed one is refused', async () => {
    const { runtime } = harness()
    const running = await startContainer(harness(), 'serves', { serves: 8080 })
    const connection = await eventually(() => runtime.connect(running.sandbox.id, 8080).catch(() => undefined))
    expect(await text(connection)).toBe('hello')
    await expect(runtime.connect(running.sandbox.id, 8081)).rejects.toMatchObject({
      reason: 'ConnectError',
      message: expect.stringContaining('ECONNREFUSED'),
    })
    await cleanUp(runtime, running)
  })

  test('a runtime that starts again finds everything as it was', async () => {
    const { runtime, restart } = harness()
    if (!restart) return
    const running = await startContainer(harness(), 'adopted', {})
    const before = await statusOf(runtime, running.id)
    const again = await restart()
    expect(await statusOf(again, running.id)).toEqual(before)
    expect(await again.sandboxes('uid-of-adopted')).toMatchObject([{ state: 'ready', ips: running.sandbox.ips }])
    await cleanUp(again, running)
    await again[Symbol.asyncDispose]()
  })
}
