import { expect, test } from 'vitest'
import { createMetrics } from './metrics.ts'

test('series that are kept at hand read as those that are looked up each time', async () => {
  const [plain, kept] = [createMetrics(), createMetrics()]
  const labels = { verb: 'GET', path: 'a"b\\c\nd', code: 200 }
  const names = Object.keys(labels)
  const buckets = [0.5, 1]
  const counter = plain.counter('requests_total', 'How many.', names)
  const histogram = plain.histogram('request_seconds', 'How long.', buckets, names)
  const gauge = plain.gauge('under_way', 'How many now.', ['kind'])
  const series = {
    count: kept.counts('requests_total', 'How many.')(labels),
    seconds: kept.histograms('request_seconds', 'How long.', buckets)(labels),
  }
  kept.readings('under_way', 'How many now.', 'kind', () => ({ reading: 2 }))
  for (const value of [0.25, 0.5, 0.75, 4]) {
    counter(labels)
    histogram(labels, value)
    series.count.total++
    series.seconds.observe(value)
  }
  gauge({ kind: 'reading' }, 2)
  const lines = async (metrics: typeof plain) =>
    (await metrics.text())
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.replace(/\{(.*)\}/, (_, own: string) => `{${own.split(',').sort().join()}}`))
      .sort()
  expect(await lines(kept)).toEqual(await lines(plain))
})

test('the same labels are the same series, which is shown from its first count on', async () => {
  const metrics = createMetrics()
  const count = metrics.counts('requests_total', 'How many.')
  count({ verb: 'PUT' })
  count({ verb: 'GET' }).total++
  count({ verb: 'GET' }).total++
  expect(await metrics.text()).toContain('TYPE requests_total counter\nrequests_total{verb="GET"} 2\n')
  expect(await metrics.text()).not.toContain('PUT')
})
