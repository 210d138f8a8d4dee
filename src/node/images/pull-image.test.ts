import { expect, test } from 'vitest'
import { container, pod } from '../../../test/support/builders.ts'
import type { Container } from '../../apis/core/types.gen.ts'
import { createFakeClock } from '../../base/fake-clock.ts'
import { seededRandom } from '../../base/random.ts'
import type { ContainerRuntime } from '../runtime/runtime.ts'
import { createSimulatedRuntime } from '../runtime/simulated-runtime.ts'
import { createImagePuller, durationText } from './pull-image.ts'

/** A puller on a runtime where pulls behave as told. */
function setUp(pull: (reference: string) => Promise<void> = async () => {}, overrides: Partial<ContainerRuntime> = {}) {
  const clock = createFakeClock()
  const network = { attach: async () => ({ ips: [] }), detach: async () => {} }
  const simulated = createSimulatedRuntime({ clock, random: seededRandom(1), network, pull })
  const said: string[] = []
  const events = {
    event: (_: unknown, type: string, reason: string, message: string) =>
      void said.push(`${type} ${reason}: ${message}`),
  }
  const runtime = { ...simulated, ...overrides }
  const puller = createImagePuller({ runtime, events, clock, pullCredentials: () => undefined })
  const of = pod({ metadata: { uid: 'uid-1' } })
  const stop = new AbortController()
  const ensure = (parts: Partial<Container> = {}) =>
    puller.ensure(of, { kind: 'main', spec: container({ image: 'app:1', ...parts }) }, stop.signal)
  return { clock, runtime, said, ensure, stop }
}

const refuse = async () => {
  throw new Error('no such image')
}
const rejection = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    ({ reason, message }: { readonly reason?: string; readonly message: string }) => [reason, message],
  )

test('an image that is missing is pulled, one that is there is not', async () => {
  const { ensure, said } = setUp()
  await ensure()
  await ensure()
  expect(said).toEqual([
    'Normal Pulling: Pulling image "app:1"',
    'Normal Pulled: Successfully pulled image "app:1" in 0s (0s including waiting). Image size: 0 bytes.',
    'Normal Pulled: Container image "app:1" already present on machine and can be accessed by the pod',
  ])
})

test('a policy of Never needs the image to be there', async () => {
  const { ensure } = setUp()
  const message = 'Container image "app:1" is not present with pull policy of Never'
  expect(await rejection(ensure({ imagePullPolicy: 'Never' }))).toEqual(['ErrImageNeverPull', message])
})

test('a policy of Always pulls each time, and is content with an image that was made here', async () => {
  let pulls = 0
  const { ensure, said } = setUp(async () => {
    if (++pulls > 1) await refuse()
  })
  await ensure({ imagePullPolicy: 'Always' })
  await ensure({ imagePullPolicy: 'Always' })
  expect(pulls).toBe(2)
  expect(said.at(-1)).toContain('already present')
})

test('a failed pull backs off for 10 s, then 20 s, and says why', async () => {
  const { ensure, clock, said } = setUp(refuse)
  expect(await rejection(ensure())).toEqual(['ErrImagePull', 'no such image'])
  const waiting = ['ImagePullBackOff', 'Back-off pulling image "app:1": ErrImagePull: no such image']
  expect(await rejection(ensure())).toEqual(waiting)
  await clock.advance(10_000)
  expect(await rejection(ensure())).toEqual(['ErrImagePull', 'no such image'])
  await clock.advance(19_999)
  expect(await rejection(ensure())).toEqual(waiting)
  expect(said.filter((line) => line === 'Normal BackOff: Back-off pulling image "app:1"')).toHaveLength(2)
})

test('a name that is none is never asked for', async () => {
  const { ensure, said } = setUp()
  const text = `Failed to apply default image tag "FOO::": couldn't parse image name "FOO::": invalid reference format`
  expect(await rejection(ensure({ image: 'FOO::' }))).toEqual(['InvalidImageName', text])
  expect(said).toEqual([`Warning InspectFailed: ${text}`])
})

test('a pull is given up when its pod ends', async () => {
  const { ensure, stop } = setUp(() => new Promise(() => {}))
  const pulling = rejection(ensure())
  stop.abort(new Error('the pod is ending'))
  expect(await pulling).toEqual(['ErrImagePull', 'the pod is ending'])
})

test('durations are spelled as Go does', () => {
  expect([0, 87.4, 1_500, 120_250].map(durationText)).toEqual(['0s', '87ms', '1.5s', '2m0.25s'])
})
