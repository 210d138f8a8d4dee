import { describe, expect, test } from 'vitest'
import { pod } from '../../test/support/builders.ts'
import { ADMIN, createTestServer } from '../../test/support/test-server.ts'
import { events } from '../apis/core/event.ts'
import { silentLogger } from '../base/log.ts'
import type { Handler } from '../machinery/wire/message.ts'
import { createEventRecorder } from './events.ts'
import { createLoopbackTransport } from './loopback-transport.ts'
import { createClient } from './resource-client.ts'

const web = pod({ metadata: { uid: 'u-1' } })

function world(component = 'test-controller') {
  const server = createTestServer([events])
  let open = 0
  const handle: Handler = (request) => {
    open++
    return Promise.resolve(server.server.handle(request)).finally(() => open--)
  }
  const client = createClient(createLoopbackTransport(handle, ADMIN))
  const recorderOf = (name: string) =>
    createEventRecorder({ client, clock: server.clock, log: silentLogger, component: name })
  /** What is written, once all is: `reason message ×count`. */
  const written = async () => {
    do for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
    while (open > 0)
    const { items } = await client.of(events).list()
    return items.map(({ reason, message, count }) => `${reason} ${message} ×${count}`).toSorted()
  }
  return {
    client,
    clock: server.clock,
    recorder: recorderOf(component),
    recorderOf,
    written,
    close: () => server[Symbol.asyncDispose](),
  }
}

test('an event names its object, source and times', async () => {
  const { client, recorder, written, close } = world()
  recorder.event(web, 'Warning', 'Failed', 'no image', { fieldPath: 'spec.containers{app}' })
  await written()
  const [event] = (await client.of(events).list()).items
  expect(event).toMatchObject({
    metadata: { namespace: 'default', name: expect.stringMatching(/^web-0\.[0-9a-f]{16}$/) },
    involvedObject: {
      apiVersion: 'v1',
      kind: 'Pod',
      namespace: 'default',
      name: 'web-0',
      uid: 'u-1',
      fieldPath: 'spec.containers{app}',
    },
    type: 'Warning',
    reason: 'Failed',
    message: 'no image',
    count: 1,
    firstTimestamp: '2026-01-01T00:00:00Z',
    lastTimestamp: '2026-01-01T00:00:00Z',
    source: { component: 'test-controller' },
    reportingComponent: 'test-controller',
  })
  await close()
})

describe('correlation', () => {
  test('the same again counts up', async () => {
    const { client, clock, recorder, written, close } = world()
    for (let round = 0; round < 3; round++) {
      recorder.event(web, 'Normal', 'Pulled', 'done')
      await clock.advance(60_000)
    }
    expect(await written()).toEqual(['Pulled done ×3'])
    expect((await client.of(events).list()).items[0]).toMatchObject({
      firstTimestamp: '2026-01-01T00:00:00Z',
      lastTimestamp: '2026-01-01T00:02:00Z',
    })
    await close()
  })

  test('different ones at the same instant are different events, also from two components', async () => {
    const { recorder, recorderOf, written, close } = world()
    recorder.event(web, 'Normal', 'A', 'one')
    recorder.event(web, 'Normal', 'A', 'two')
    recorderOf('another').event(web, 'Normal', 'A', 'three')
    expect(await written()).toEqual(['A one ×1', 'A three ×1', 'A two ×1'])
    await close()
  })

  test('the tenth similar one and those after it are combined, until ten minutes pass without one', async () => {
    const { clock, recorder, written, close } = world()
    for (let index = 1; index <= 12; index++) recorder.event(web, 'Normal', 'Scaled', `to ${index}`)
    const combined = await written()
    expect(combined).toHaveLength(10)
    expect(combined).toContain('Scaled (combined from similar events): to 12 ×3')
    await clock.advance(600_001)
    recorder.event(web, 'Normal', 'Scaled', 'to 99')
    expect(await written()).toContain('Scaled to 99 ×1')
    await close()
  })

  test('an event that is gone goes on under a new name with its count', async () => {
    const { client, recorder, written, close } = world()
    recorder.event(web, 'Normal', 'Pulled', 'done')
    await written()
    await client.of(events).deleteCollection({ namespace: 'default' })
    recorder.event(web, 'Normal', 'Pulled', 'done')
    expect(await written()).toEqual(['Pulled done ×2'])
    await close()
  })
})

describe('bounds', () => {
  test('one object may send 25 at once and one more every five minutes', async () => {
    const { clock, recorder, written, close } = world()
    const other = pod({ metadata: { name: 'other', uid: 'u-2' } })
    for (let index = 0; index < 40; index++) recorder.event(web, 'Normal', 'Same', 'again')
    recorder.event(other, 'Normal', 'Other', 'hears')
    expect(await written()).toEqual(['Other hears ×1', 'Same again ×25'])
    for (let minute = 0; minute < 5; minute++) {
      recorder.event(web, 'Normal', 'Same', 'again')
      await clock.advance(60_000)
    }
    for (let round = 0; round < 3; round++) recorder.event(web, 'Normal', 'Same', 'again')
    expect(await written()).toContain('Same again ×26')
    await close()
  })

  test('a server that does not answer makes them drop, not pile up or throw', async () => {
    let asked = 0
    const never: Handler = () => {
      asked++
      return new Promise(() => {})
    }
    const { clock, close } = world()
    const client = createClient(createLoopbackTransport(never, ADMIN))
    const recorder = createEventRecorder({ client, clock, log: silentLogger, component: 'x' })
    for (let index = 0; index < 6_000; index++)
      recorder.event(pod({ metadata: { name: `p-${index}`, uid: `${index}` } }), 'Normal', 'A', 'b')
    await new Promise(setImmediate)
    expect(asked).toBe(5_000)
    await close()
  })
})
