import { describe, expect, test } from 'vitest'
import { container, pod } from '../../../test/support/builders.ts'
import type { ContainerStatus } from '../runtime/runtime.ts'
import { chooseInstance, readLogWish } from './logs.ts'

const NOW_MS = Date.UTC(2026, 0, 1)

describe('options', () => {
  test('are off unless they are asked for', () => {
    expect(readLogWish(new URLSearchParams(), NOW_MS)).toEqual({
      follow: false,
      previous: false,
      timestamps: false,
      tailLines: undefined,
      limitBytes: undefined,
      sinceMs: undefined,
      stream: 'All',
    })
  })

  for (const [query, expected] of [
    ['follow=true&previous=1&timestamps=true', { follow: true, previous: true, timestamps: true }],
    ['tailLines=0&limitBytes=10', { tailLines: 0, limitBytes: 10 }],
    ['sinceSeconds=5', { sinceMs: NOW_MS - 5_000 }],
    ['sinceTime=2025-12-31T23:59:50Z', { sinceMs: NOW_MS - 10_000 }],
    ['stream=Stderr', { stream: 'Stderr' }],
    ['stream=Nonsense', { stream: 'All' }],
  ] as const) {
    test(query, () => expect(readLogWish(new URLSearchParams(query), NOW_MS)).toMatchObject(expected))
  }

  test('that are no numbers are refused', () => {
    for (const query of ['tailLines=-1', 'tailLines=x', 'limitBytes=1e3', 'sinceSeconds=%00'])
      expect(() => readLogWish(new URLSearchParams(query), NOW_MS)).toThrow(/must be a number/)
  })
})

describe('the instance', () => {
  const instance = (attempt: number, state: ContainerStatus['state']): ContainerStatus => ({
    id: `id-${attempt}`,
    sandboxId: 'sandbox',
    pod: { uid: 'uid', namespace: 'default', name: 'web-0' },
    name: 'app',
    attempt,
    state,
    image: 'app:1',
    imageId: 'sha256:1',
    createdAtMs: 0,
    annotations: {},
  })
  const waitingFor = (reason: string) => {
    const status = { name: 'app', image: '', imageID: '', ready: false, restartCount: 0 }
    const containerStatuses = [{ ...status, state: { waiting: { reason } } }]
    return pod({ spec: { containers: [container()] }, status: { containerStatuses } })
  }
  const running = pod()

  for (const [behaviour, of, instances, previous, expected] of [
    ['is the one that runs', running, [instance(1, 'running'), instance(0, 'exited')], false, 'id-1'],
    ['is the one that ended before it', running, [instance(1, 'running'), instance(0, 'exited')], true, 'id-0'],
    ['is the last one of a container that ended', running, [instance(0, 'exited')], false, 'id-0'],
    [
      'is the one before of a container that ended',
      running,
      [instance(1, 'exited'), instance(0, 'exited')],
      true,
      'id-0',
    ],
    [
      'is for both the one that waits for its restart',
      waitingFor('CrashLoopBackOff'),
      [instance(1, 'exited'), instance(0, 'exited')],
      true,
      'id-1',
    ],
    ['is never one that did not start', running, [instance(1, 'created'), instance(0, 'exited')], false, 'id-0'],
  ] as const) {
    test(behaviour, () => expect(chooseInstance(of, 'app', instances, previous).id).toBe(expected))
  }

  for (const [reason, text] of [
    ['ContainerCreating', 'ContainerCreating'],
    ['ErrImagePull', "image can't be pulled"],
    ['ImagePullBackOff', 'trying and failing to pull image'],
  ] as const) {
    test(`of a container that waits for ${reason} is not there`, () =>
      expect(() => chooseInstance(waitingFor(reason), 'app', [], false)).toThrow(
        `container "app" in pod "web-0" is waiting to start: ${text}`,
      ))
  }

  test('before the first one is not there', () => {
    expect(() => chooseInstance(running, 'app', [instance(0, 'running')], true)).toThrow(
      'previous terminated container "app" in pod "web-0" not found',
    )
  })
})
