import { expect, test } from 'vitest'
import type { APIService } from '../../apis/apiregistration/types.gen.ts'
import { createAvailabilityMetrics } from './availability-metrics.ts'

const serviceOf = (name: string, status?: 'True' | 'False', reason = 'Passed'): APIService => ({
  metadata: { name },
  spec: { group: 'g', version: 'v1', groupPriorityMinimum: 1, versionPriority: 1 },
  ...(status && { status: { conditions: [{ type: 'Available', status, reason }] } }),
})
const series = (text: string) => text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))

test('who is unavailable is told, and how often who was available became that', () => {
  const metrics = createAvailabilityMetrics()
  const [good, bad, odd] = [
    serviceOf('v1.g', 'True'),
    serviceOf('v1.g', 'False', 'Gone'),
    serviceOf('v1.g', 'False', 'a"b\n'),
  ]
  metrics.seen(good, undefined)
  metrics.seen(serviceOf('v2.g'), undefined)
  expect(series(metrics.text())).toEqual([
    'aggregator_unavailable_apiservice{name="v1.g"} 0',
    'aggregator_unavailable_apiservice{name="v2.g"} 1',
  ])
  for (const [now, before] of [
    [bad, good],
    [odd, bad],
    [good, odd],
    [bad, good],
    [good, bad],
    [odd, good],
  ] as const)
    metrics.seen(now, before)
  metrics.removed('v2.g')
  expect(series(metrics.text())).toEqual([
    'aggregator_unavailable_apiservice{name="v1.g"} 1',
    'aggregator_unavailable_apiservice_total{name="v1.g",reason="Gone"} 2',
    'aggregator_unavailable_apiservice_total{name="v1.g",reason="a\\"b\\n"} 1',
  ])
})

test('strange reasons make no series without end', () => {
  const metrics = createAvailabilityMetrics()
  const good = serviceOf('v1.g', 'True')
  for (let number = 0; number < 2_000; number++) metrics.seen(serviceOf('v1.g', 'False', `R${number}`), good)
  expect(series(metrics.text())).toHaveLength(1_001)
})
