import { describe, expect, test } from 'vitest'
import type { ConfigMap } from '../apis/core/types.gen.ts'
import { AsyncQueue } from '../base/async-queue.ts'
import { createFakeClock } from '../base/fake-clock.ts'
import { silentLogger } from '../base/log.ts'
import { expired, serviceUnavailable } from '../machinery/meta/api-error.ts'
import type { KubeList } from '../machinery/meta/object.ts'
import type { WatchEvent, WatchEventType } from '../machinery/wire/message.ts'
import type { ListRequest, WatchRequest } from './client.ts'
import { type ReflectorParts, reflect } from './reflector.ts'

type Page = KubeList<ConfigMap> | Error
/** A watch that the test feeds, or an error instead of one. */
type Feed = AsyncQueue<WatchEvent<ConfigMap>> | Error

const object = (name: string, resourceVersion: string): ConfigMap => ({ metadata: { name, resourceVersion } })
const event = (type: WatchEventType, name: string, resourceVersion: string): WatchEvent<ConfigMap> => ({
  type,
  object: object(name, resourceVersion),
})
const page = (resourceVersion: string, names: readonly string[], more = ''): Page => ({
  metadata: { resourceVersion, continue: more },
  items: names.map((name) => object(name, resourceVersion)),
})
const feed = () => new AsyncQueue<WatchEvent<ConfigMap>>(100)

/** A server that answers from two scripts, and what the reflector made of its answers. */
function scripted(pages: Page[], feeds: Feed[]) {
  const clock = createFakeClock()
  const asked: string[] = []
  const seen: string[] = []
  const stop = new AbortController()
  const client = {
    async list({ continueToken, limit }: ListRequest): Promise<KubeList<ConfigMap>> {
      asked.push(`list ${continueToken || limit}`)
      const next = pages.shift() ?? serviceUnavailable('the script is over')
      if (next instanceof Error) throw next
      return next
    },
    async *watchBatches({ resourceVersion, signal }: WatchRequest): AsyncGenerator<readonly WatchEvent<ConfigMap>[]> {
      asked.push(`watch ${resourceVersion}`)
      const next = feeds.shift() ?? serviceUnavailable('the script is over')
      if (next instanceof Error) throw next
      signal.addEventListener('abort', () => next.end(signal.reason))
      for await (const event of next) yield [event]
    },
  }
  const parts: ReflectorParts<ConfigMap> = {
    client,
    selection: {},
    sink: {
      replace: (objects, revision) => seen.push(`${revision}: ${objects.map(({ metadata }) => metadata.name).join()}`),
      apply: ({ type, object: { metadata } }) => seen.push(`${type} ${metadata.name} ${metadata.resourceVersion}`),
    },
    clock,
    random: { next: () => 0, bytes: () => new Uint8Array() },
    log: silentLogger,
  }
  const done = reflect(parts, stop.signal)
  return {
    clock,
    asked,
    seen,
    async [Symbol.asyncDispose]() {
      stop.abort()
      await done
      expect(clock.pending).toBe(0)
    },
  }
}

describe('listing', () => {
  test('collects all pages before it replaces, and watches from the revision of the last', async () => {
    await using world = scripted([page('7', ['a', 'b'], 'more'), page('7', ['c'])], [feed()])
    await world.clock.advance(0)
    expect(world.asked).toEqual(['list 500', 'list more', 'watch 7'])
    expect(world.seen).toEqual(['7: a,b,c'])
  })

  test('takes a page of any size', async () => {
    const names = Array.from({ length: 200_000 }, (_, index) => `${index}`)
    await using world = scripted([page('1', names)], [feed()])
    await world.clock.advance(0)
    expect(world.seen[0]?.length).toBeGreaterThan(1_000_000)
  })

  test('starts over after a failure half way, with growing pauses', async () => {
    const failure = serviceUnavailable('no')
    await using world = scripted([failure, page('1', ['a'], 'more'), failure, failure, page('2', ['b'])], [feed()])
    await world.clock.advance(0)
    expect(world.asked).toEqual(['list 500'])
    await world.clock.advance(50)
    expect(world.asked).toEqual(['list 500', 'list 500', 'list more'])
    await world.clock.advance(99)
    expect(world.asked).toHaveLength(3)
    await world.clock.advance(1 + 200)
    expect(world.seen).toEqual(['2: b'])
  })
})

describe('watching', () => {
  test('hands events on and resumes a cut watch at the last of them', async () => {
    const [first, second] = [feed(), feed()]
    await using world = scripted([page('1', [])], [first, second])
    await world.clock.advance(0)
    first.push(event('ADDED', 'a', '2'))
    first.push(event('MODIFIED', 'a', '5'))
    first.end(new Error('the connection was cut'))
    await world.clock.advance(50)
    second.push(event('DELETED', 'a', '6'))
    await world.clock.advance(0)
    expect(world.asked).toEqual(['list 500', 'watch 1', 'watch 5'])
    expect(world.seen).toEqual(['1: ', 'ADDED a 2', 'MODIFIED a 5', 'DELETED a 6'])
  })

  test('a bookmark moves the place to resume at', async () => {
    const first = feed()
    await using world = scripted([page('1', [])], [first, feed()])
    await world.clock.advance(0)
    first.push(event('BOOKMARK', '', '90'))
    first.end()
    await world.clock.advance(0)
    expect(world.asked.at(-1)).toBe('watch 90')
  })

  test('an expired revision is listed anew, with pauses though every list succeeds', async () => {
    const pages = Array.from({ length: 50 }, (_, index) => page(`${index + 1}`, []))
    const feeds = Array.from({ length: 50 }, () => expired('too old resource version'))
    await using world = scripted(pages, feeds)
    await world.clock.advance(0)
    expect(world.asked).toEqual(['list 500', 'watch 1'])
    await world.clock.advance(50 + 100 + 200 + 400)
    expect(world.asked).toHaveLength(10)
    expect(world.asked.at(-1)).toBe('watch 5')
  })

  test('a watch that closes at once is a failure, one that was quiet for long is not', async () => {
    const [quiet, last] = [feed(), feed()]
    const closed = Array.from({ length: 4 }, feed)
    for (const each of closed) each.end()
    await using world = scripted([page('1', [])], [...closed, quiet, last])
    await world.clock.advance(0)
    expect(world.asked).toHaveLength(2)
    await world.clock.advance(50 + 100 + 200 + 400)
    expect(world.asked).toHaveLength(6)
    await world.clock.advance(60_000)
    quiet.end()
    await world.clock.advance(0)
    expect(world.asked).toHaveLength(7)
  })
})

test('stopping ends it in every phase', async () => {
  for (const [pages, feeds] of [
    [[serviceUnavailable('no')], []],
    [[page('1', [])], [feed()]],
    [[page('1', [])], [new Error('cut')]],
  ] as const) {
    await using world = scripted([...pages], [...feeds])
    await world.clock.advance(0)
  }
})
