import { expect, test } from 'vitest'
import {
  containerConfig,
  type RuntimeHarness,
  runtimeContract,
  type Script,
  sandboxConfig,
} from '../../../test/contracts/runtime-contract.ts'
import { createFakeClock } from '../../base/fake-clock.ts'
import { seededRandom } from '../../base/random.ts'
import type { PodNetwork } from './pod-network.ts'
import type { PodBehavior } from './simulated-container.ts'
import { createSimulatedRuntime } from './simulated-runtime.ts'

function countingNetwork(): PodNetwork {
  let next = 1
  return { attach: async () => ({ ips: [`10.0.0.${next++}`] }), detach: async () => {} }
}

const followScript: PodBehavior = async (container) => {
  const script: Script = JSON.parse(container.environment.get('SCRIPT') ?? '{}')
  for (const { stream, text } of script.lines ?? []) container.log(text, stream)
  if (script.serves !== undefined) container.serve(script.serves, (connection) => connection.end('hello'))
  container.exec(async ({ command, stdin }) => {
    if (command[0] === 'fail') return { stdout: 'out\n', stderr: 'err\n', code: 7 }
    const chunks: Uint8Array[] = []
    for await (const chunk of stdin ?? []) chunks.push(chunk)
    return { stdout: Buffer.concat(chunks).toString() }
  })
  if (script.ignoresStop) await new Promise(() => {})
  if (script.exits === undefined) await container.sleep(Number.MAX_SAFE_INTEGER)
  return script.exits
}

async function open(): Promise<RuntimeHarness> {
  const clock = createFakeClock()
  const runtime = createSimulatedRuntime({
    clock,
    random: seededRandom(1),
    network: countingNetwork(),
    behavior: followScript,
  })
  await runtime.pullImage('example.com/image:1')
  return {
    runtime,
    image: 'example.com/image:1',
    following: (script) => ({ environment: [['SCRIPT', JSON.stringify(script)]] }),
    execCopy: ['copy'],
    execFail: ['fail'],
    passGrace: () => clock.advance(1000),
    [Symbol.asyncDispose]: () => runtime[Symbol.asyncDispose](),
  }
}

runtimeContract('simulated', open)

async function start(behavior: PodBehavior) {
  const clock = createFakeClock()
  const runtime = createSimulatedRuntime({ clock, random: seededRandom(1), network: countingNetwork(), behavior })
  const sandbox = await runtime.runSandbox(sandboxConfig('pod', { annotations: { answer: '42' } }))
  const id = await runtime.createContainer(sandbox.id, containerConfig({ reference: 'a:1', id: 'a' }))
  await runtime.startContainer(id)
  return { clock, runtime, id }
}

test('time in a container passes on the clock', async () => {
  const { clock, runtime, id } = await start(async ({ sleep, annotations, log }) => {
    await sleep(5_000)
    log(annotations.answer ?? '')
    return 4
  })
  await clock.advance(4_999)
  expect(await runtime.containers()).toMatchObject([{ state: 'running' }])
  await clock.advance(1)
  expect(await runtime.containers()).toMatchObject([{ id, state: 'exited', exitCode: 4, reason: 'Error' }])
})

test('a behaviour that throws exits with 1 and says why in its log', async () => {
  const { clock, runtime, id } = await start(async () => {
    throw new Error('out of luck')
  })
  await clock.advance(0)
  expect(await runtime.containers()).toMatchObject([{ state: 'exited', exitCode: 1 }])
  const lines: string[] = []
  for await (const { stream, bytes } of runtime.logs(id, { follow: false })) lines.push(`${stream} ${bytes}`)
  expect(lines).toEqual(['stderr out of luck\n'])
})

test('CPU time is what was used for as long as it was used', async () => {
  const { clock, runtime, id } = await start(async ({ use, sleep }) => {
    use({ cpuCores: 0.5, memoryBytes: 1000 })
    await sleep(2_000)
    use({ cpuCores: 2 })
    await sleep(10_000)
  })
  await clock.advance(3_000)
  expect(await runtime.usage(id)).toEqual({ cpuNanoseconds: 3e9, memoryWorkingSetBytes: 1000 })
})
