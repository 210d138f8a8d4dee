import { describe, expect, test } from 'vitest'
import { createFakeClock } from '../base/fake-clock.ts'
import { parseLabelSelector } from '../machinery/meta/labels.ts'
import { encodeWatchFrame } from '../machinery/wire/watch-frames.ts'
import { type CachedObject, cachedObjectFactory } from './cached-object.ts'
import { Egress } from './egress.ts'
import { type Delivery, jsonFrames } from './event.ts'
import { InitialStates } from './initial-states.ts'
import type { Selection } from './selection.ts'
import type { Replay } from './watcher.ts'

const make = cachedObjectFactory()
const frames = jsonFrames({ apiVersion: 'v1', kind: 'Thing' })
const FILLER = 'x'.repeat(10_000)

const things = (count: number): readonly CachedObject[] =>
  Array.from({ length: count }, (_, index) => {
    const name = `thing-${index}`
    const bytes = Buffer.from(JSON.stringify({ name, filler: FILLER }))
    return make({ key: name, namespace: '', name, uid: '', revision: index, labels: {}, fields: {}, bytes })
  })

function states() {
  const egress = new Egress(createFakeClock())
  const initial = new InitialStates(egress)
  let lists = 0
  const begin = (objects: readonly CachedObject[], changedAt: number, selection: Selection = {}, endsAt?: number) =>
    initial.replay({
      ...{ selection, changedAt, endsAt },
      select: () => {
        lists++
        return objects
      },
    })
  return { egress, begin, lists: () => lists }
}

async function next(replay: Replay): Promise<readonly Delivery[]> {
  const { value, done } = await replay.next()
  return done ? [] : value
}

async function namesOf(replay: Replay): Promise<readonly string[]> {
  const names: string[] = []
  for (let batch = await next(replay); batch.length > 0; batch = await next(replay))
    names.push(...batch.map((one) => (one.type === 'BOOKMARK' ? `end@${one.revision}` : one.object.name)))
  return names
}

test('everyone is told every object once, in order, and then, if asked, that these were all', async () => {
  const { begin, lists } = states()
  const objects = things(100)
  const names = objects.map(({ name }) => name)
  const [first, second] = [begin(objects, 7, {}, 9), begin(objects, 7)]
  expect(await namesOf(first)).toEqual([...names, 'end@9'])
  expect(await namesOf(second)).toEqual(names)
  expect(lists()).toBe(1)
  expect(await namesOf(begin([], 8, {}, 9))).toEqual(['end@9'])
})

describe('chunks', () => {
  test('are the same bytes for those who read the same state', async () => {
    const { egress, begin } = states()
    const [one, two] = [begin(things(100), 7), begin(things(100), 7)]
    const batch = await next(one)
    expect(await next(two)).toBe(batch)
    expect(egress.replayChunkOf(batch, frames)).toBe(egress.replayChunkOf(batch, frames))
    expect(egress.replayChunkOf(batch, { ...frames, name: 'other' })).not.toBe(egress.replayChunkOf(batch, frames))
  })

  test('are the events one after the other, however they are encoded', async () => {
    const { egress, begin } = states()
    const objects = things(5)
    const batch = await next(begin(objects, 7))
    const whole = objects.map((object) => encodeWatchFrame('ADDED', object.bytes))
    const { event, bookmark, name } = frames
    for (const encoding of [frames, { event, bookmark, name: `${name}, whole` }]) {
      expect(Buffer.concat(whole).equals(egress.replayChunkOf(batch, encoding).bytes)).toBe(true)
      expect(batch.map((delivery) => delivery.frame(encoding))).toEqual(whole)
    }
  })

  test('are let go of when nobody reads the state any more, however its readers leave', async () => {
    const { egress, begin, lists } = states()
    const [one, two] = [begin(things(100), 7), begin(things(100), 7)]
    const batch = await next(one)
    const chunk = egress.replayChunkOf(batch, frames)
    await namesOf(one)
    expect(egress.replayChunkOf(batch, frames)).toBe(chunk)
    two.return?.()
    two.return?.()
    expect(egress.replayChunkOf(batch, frames)).not.toBe(chunk)
    expect(await namesOf(two)).toEqual([])
    await namesOf(begin(things(100), 7))
    expect(lists()).toBe(2)
  })
})

test('after a change, and with another selection, the state is another one; who reads the old one reads on', async () => {
  const { egress, begin } = states()
  const old = begin(things(100), 7)
  const batch = await next(old)
  const chunk = egress.replayChunkOf(batch, frames)
  const selected = begin(things(60), 7, { labels: parseLabelSelector('app=x') })
  const elsewhere = begin(things(50), 7, { namespace: 'a' })
  expect((await namesOf(selected)).length).toBe(60)
  expect((await namesOf(elsewhere)).length).toBe(50)
  expect(egress.replayChunkOf(batch, frames)).toBe(chunk)
  const changed = begin(things(70), 8)
  expect((await namesOf(changed)).length).toBe(70)
  expect((await namesOf(old)).length).toBe(100 - batch.length)
  expect(egress.replayChunkOf(batch, frames)).not.toBe(chunk)
})
