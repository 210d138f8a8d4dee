import { expect, test } from 'vitest'
import { labels } from './docker-engine.ts'
import { engineEvent } from './docker-events.ts'

const line = (action: string, attributes: object) =>
  JSON.stringify({ Action: action, id: 'c1', Actor: { ID: 'c1', Attributes: attributes } })

test('an event names its pod, and the container that ran out of memory', () => {
  expect(engineEvent(line('die', { [labels.podUid]: 'u1' }))).toEqual({ podUid: 'u1' })
  expect(engineEvent(line('oom', { [labels.podUid]: 'u1' }))).toEqual({ podUid: 'u1', outOfMemoryId: 'c1' })
})

test('what is about no pod, or no event at all, is nothing', () => {
  expect(engineEvent(line('oom', {}))).toBeUndefined()
  expect(engineEvent('{')).toBeUndefined()
  expect(engineEvent('null')).toBeUndefined()
})
