import { expect, test } from 'vitest'
import { randomInteger, seededRandom } from '../base/random.ts'
import { History, slotsBetween, type Version } from './versions.ts'

/** What stands in each slot. */
type State = readonly number[]

test('names every slot in which two versions differ, whichever came first, or says that it may be any', () => {
  const random = seededRandom(11)
  const chance = (bound: number) => randomInteger(random, bound)
  const history = new History()
  const known: { readonly version: Version; readonly state: State }[] = []
  let state: State = Array.from({ length: 12 }, () => 0)
  const changed = (before: State) => {
    const slot = chance(before.length)
    return { slot, after: before.with(slot, (before[slot] ?? 0) + 1 + chance(3)) }
  }
  for (let step = 0; step < 25_000; step++) {
    const { slot, after } = changed(state)
    history.add(slot)
    state = after
    if (chance(50) > 0) continue
    const aside = chance(2) === 0 ? undefined : changed(state)
    const apart = aside ? [aside.slot] : []
    known.push({ version: { history, changes: history.length, apart }, state: aside?.after ?? state })
    for (let pair = 0; pair < 5; pair++) {
      const left = known[chance(known.length)]
      const right = known[known.length - 1 - chance(Math.min(known.length, 20))]
      if (!left || !right) continue
      const slots = slotsBetween(left.version, right.version)
      const distance = Math.abs(left.version.changes - right.version.changes)
      if (!slots) expect(history.length - left.version.changes).toBeGreaterThan(5_000)
      else expect(slots.length).toBeLessThanOrEqual(distance + 2)
      const differing = [...left.state.keys()].filter((at) => left.state[at] !== right.state[at])
      const named = slots && new Set(slots)
      if (named) expect(differing.filter((at) => !named.has(at))).toEqual([])
    }
  }
})

test('versions of different clusters may differ anywhere, and one does not differ from itself', () => {
  const version = (): Version => ({ history: new History(), changes: 0, apart: [] })
  const one = version()
  expect([slotsBetween(one, version()), slotsBetween(undefined, one), slotsBetween(one, one)]).toEqual([
    undefined,
    undefined,
    [],
  ])
})
