import { expect, test } from 'vitest'
import { container } from '../../test/support/builders.ts'
import { nextRestartDelayMs, RESTART_DELAY, restartAtMs } from './restart-delay.ts'
import { specHash } from './spec-hash.ts'
import { instance, NOW_MS } from './test-view.ts'

const exited = (delayMs: number, ranMs = 1_000, hash = specHash(container())) =>
  instance('exited', {
    startedAtMs: NOW_MS - ranMs,
    finishedAtMs: NOW_MS,
    annotations: { [RESTART_DELAY]: String(delayMs), hash },
  })

for (const [behaviour, newest, waitMs, nextMs] of [
  ['the first run waits for nothing and carries no delay', undefined, 0, 0],
  ['the second one comes at once', exited(0), 0, 10_000],
  ['then the delay doubles', exited(10_000), 10_000, 20_000],
  ['up to five minutes', exited(300_000), 300_000, 300_000],
  ['a run of ten minutes starts over', exited(300_000, 600_000), 0, 10_000],
  ['another definition starts over', exited(80_000, 1_000, 'another'), 0, 10_000],
] as const) {
  test(behaviour, () => {
    const readyAtMs = restartAtMs(container(), newest)
    expect(readyAtMs === 0 ? 0 : readyAtMs - NOW_MS).toBe(waitMs)
    expect(nextRestartDelayMs(container(), newest)).toBe(nextMs)
  })
}

test('a process that could not be started has not run for long', () => {
  const failed = instance('exited', { startedAtMs: 0, finishedAtMs: NOW_MS, annotations: { [RESTART_DELAY]: '20000' } })
  expect(restartAtMs(container(), failed)).toBe(NOW_MS + 20_000)
})

test('an annotation that is no number counts as none', () => {
  const broken = instance('exited', { annotations: { [RESTART_DELAY]: 'soon' } })
  expect(restartAtMs(container(), broken)).toBe(0)
})
