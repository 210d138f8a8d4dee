import { describe, expect, test } from 'vitest'
import { container, pod } from '../../../test/support/builders.ts'
import type { Container, Pod, Probe } from '../../apis/core/types.gen.ts'
import { createFakeClock } from '../../base/fake-clock.ts'
import { seededRandom } from '../../base/random.ts'
import { instance } from '../test-view.ts'
import { Prober } from './prober.ts'

const exec = (parts: Partial<Probe> = {}): Probe => ({ exec: { command: ['check'] }, ...parts })

/** A prober of one container that just started. Answers are taken from the list; the last one is repeated. */
function start(parts: Partial<Container>, answers: readonly (boolean | 'hang')[], of: Partial<Pod> = {}) {
  const clock = createFakeClock()
  const looks: string[] = []
  const events: string[] = []
  const changes = { count: 0 }
  const prober = new Prober({
    clock,
    random: seededRandom(1),
    events: {
      event: (_, type, reason, message, options) =>
        void events.push(`${type} ${reason} ${message} ${options?.fieldPath}`),
    },
    onChange: () => void changes.count++,
    run: async ({ exec: action }) => {
      const answer = answers[Math.min(looks.length, answers.length - 1)]
      looks.push(action?.command?.[0] ?? '')
      if (answer === 'hang') return await new Promise(() => {})
      return { ok: answer ?? true, output: 'as it is' }
    },
  })
  const watched = { ...pod({ metadata: { uid: 'uid-1' }, spec: { containers: [container(parts)] } }), ...of }
  const running = instance('running', { startedAtMs: clock.now() })
  const watch = (isEnding = false) => prober.watch(watched, '10.0.0.5', [running], isEnding)
  watch()
  return { clock, looks, events, changes, prober, watch, watched, results: () => prober.results('app-0') }
}

describe('a readiness probe', () => {
  test('has no result before its first look, which waits for the initial delay', async () => {
    const { clock, looks, results } = start({ readinessProbe: exec({ initialDelaySeconds: 5 }) }, [true])
    await clock.advance(4_999)
    expect([looks.length, results()]).toEqual([0, {}])
    await clock.advance(1)
    expect(results()).toEqual({ readiness: true })
  })

  test('needs as many answers in a row as its thresholds say', async () => {
    const readinessProbe = exec({ periodSeconds: 1, successThreshold: 2, failureThreshold: 3 })
    const { clock, results } = start({ readinessProbe }, [true, false, true, true, false, false, false])
    const seen: unknown[] = []
    for (let look = 0; look < 7; look++) {
      await clock.advance(look === 0 ? 0 : 1_000)
      seen.push(results()?.readiness)
    }
    expect(seen).toEqual([undefined, undefined, undefined, true, true, true, false])
  })

  test('goes on while the pod ends, the others do not', async () => {
    const parts = {
      readinessProbe: exec({ periodSeconds: 1 }),
      livenessProbe: exec({ periodSeconds: 1, exec: { command: ['alive'] } }),
    }
    const { clock, looks, watch } = start(parts, [true])
    await clock.advance(0)
    watch(true)
    looks.length = 0
    await clock.advance(2_000)
    expect(looks).toEqual(['check', 'check'])
  })
})

describe('a liveness probe', () => {
  test('fails after three failures in a row, and says why each time', async () => {
    const { clock, results, events, changes } = start({ livenessProbe: exec({ periodSeconds: 1 }) }, [false])
    await clock.advance(1_000)
    expect(results()).toEqual({})
    await clock.advance(1_000)
    expect(results()).toEqual({ liveness: false })
    expect(changes.count).toBe(1)
    expect(events).toEqual(Array(3).fill('Warning Unhealthy Liveness probe failed: as it is spec.containers{app}'))
  })

  test('waits for the startup probe', async () => {
    const parts = {
      startupProbe: exec({ periodSeconds: 1, exec: { command: ['start'] } }),
      livenessProbe: exec({ periodSeconds: 1 }),
    }
    const { clock, looks, results } = start(parts, [false, false, true])
    await clock.advance(2_000)
    expect(looks.slice(0, 3)).toEqual(['start', 'start', 'start'])
    expect(results()?.startup).toBe(true)
    await clock.advance(2_000)
    expect(new Set(looks.slice(3))).toEqual(new Set(['check']))
  })

  test('that does not answer in time has failed', async () => {
    const { clock, events } = start({ livenessProbe: exec({ timeoutSeconds: 2 }) }, ['hang'])
    await clock.advance(2_000)
    expect(events).toEqual([
      'Warning Unhealthy Liveness probe failed: command timed out: "check" timed out after 2s spec.containers{app}',
    ])
  })
})

test('a container that was ready before the agent started again stays so until a probe says otherwise', async () => {
  const status = {
    name: 'app',
    image: '',
    imageID: '',
    ready: true,
    started: true,
    restartCount: 0,
    containerID: 'docker://app-0',
  }
  const of = { status: { containerStatuses: [status] } }
  const { results, clock } = start({ readinessProbe: exec({ failureThreshold: 1 }) }, [false], of)
  expect(results()).toEqual({ startup: true, readiness: true })
  await clock.advance(0)
  expect(results()).toMatchObject({ readiness: false })
})

test('a container that no longer runs is no longer probed', async () => {
  const { clock, looks, prober, watched } = start({ readinessProbe: exec({ periodSeconds: 1 }) }, [true])
  await clock.advance(0)
  prober.watch(watched, '10.0.0.5', [])
  await clock.advance(10_000)
  expect([looks.length, prober.results('app-0'), clock.pending]).toEqual([1, undefined, 0])
})
