import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { createMetrics } from '../../base/metrics.ts'
import { createAuditMetrics } from './auditing.ts'
import { streamLog } from './stream-log.ts'

test('events are lines; a reader that does not read loses them, and nobody waits', async () => {
  const metrics = createMetrics()
  const stream = new PassThrough()
  const log = streamLog(stream, { metrics: createAuditMetrics(metrics) })
  const event = (text: string) => ({ stage: 'ResponseComplete', text }) as const
  for (const text of ['{"a":1}', '{"a":2}']) log.accept(event(text))
  expect(`${stream.read()}${stream.read()}`).toBe('{"a":1}\n{"a":2}\n')
  const large = 'x'.repeat(9 * 1024 * 1024)
  for (let count = 0; count < 3; count++) expect(log.accept(event(large))).toBe(true)
  expect(await metrics.text()).toContain('apiserver_audit_error_total{plugin="log"} 2')
})
