/** Metrics of encryption at rest, by upstream's names. */

import type { Clock } from '../../base/clock.ts'
import type { Metrics } from '../../base/metrics.ts'
import { REGISTRY_PREFIX } from '../../server/registry/object-key.ts'
import type { Measure } from '../../storage/encryption/transformers.ts'

/** Seconds; each twice the one before. */
const BUCKETS = Array.from({ length: 25 }, (_, index) => 5e-6 * 2 ** index)

/** Made with the first value that is transformed. */
export function transformationMetrics(metrics: Metrics, clock: Clock): Measure {
  let made: ReturnType<typeof make> | undefined
  return (key) => {
    made ??= make(metrics)
    const { operations, durations } = made
    const startedMs = clock.monotonic()
    return (direction, prefix, error) => {
      const what = { transformation_type: direction, transformer_prefix: prefix }
      operations({ ...what, resource: resourceOf(key), status: error === undefined ? 'OK' : 'Unknown' })
      if (error === undefined) durations(what, (clock.monotonic() - startedMs) / 1_000)
    }
  }
}

function make(metrics: Metrics) {
  const labels = ['transformation_type', 'transformer_prefix']
  return {
    operations: metrics.counter(
      'apiserver_storage_transformation_operations_total',
      'Values that were written to and read from the storage, by what was done to them and whether that succeeded',
      ['resource', ...labels, 'status'],
    ),
    durations: metrics.histogram(
      'apiserver_storage_transformation_duration_seconds',
      'Time that transforming a value on its way to or from the storage took',
      BUCKETS,
      labels,
    ),
  }
}

/** `secrets`, `deployments.apps`. */
function resourceOf(key: string): string {
  const [group = '', resource = ''] = key.slice(REGISTRY_PREFIX.length).split('/', 2)
  return group === 'core' ? resource : `${resource}.${group}`
}
