/** ttl-after-finished-controller: deletes jobs so long after they have finished, with all that is theirs. */

import { jobs } from '../../apis/batch/job.ts'
import type { Job } from '../../apis/batch/types.gen.ts'
import { parseTime } from '../../machinery/meta/time.ts'
import { deleteAction } from '../runtime/action.ts'
import { defineController, type Plan } from '../runtime/controller.ts'

export const ttlAfterFinishedController = defineController({
  name: 'ttl-after-finished-controller',
  reconciles: jobs,
  observe: (cache, key) => cache.get(jobs, key),
  plan: planTtl,
})

export function planTtl(job: Job, nowMs: number): Plan {
  const expiresMs = expirationMs(job)
  if (expiresMs === undefined) return { actions: [] }
  if (expiresMs > nowMs) return { actions: [], requeueAfterMs: expiresMs - nowMs }
  return { actions: [deleteAction(jobs, job, { propagationPolicy: 'Foreground' })] }
}

/** Undefined for a job that has no end to count from, or no limit, or goes already. */
function expirationMs({ metadata, spec, status }: Job): number | undefined {
  const { ttlSecondsAfterFinished } = spec
  if (ttlSecondsAfterFinished === undefined || metadata.deletionTimestamp) return undefined
  const end = (status?.conditions ?? []).find(
    ({ type, status: holds }) => (type === 'Complete' || type === 'Failed') && holds === 'True',
  )
  const endMs = parseTime(end?.lastTransitionTime)
  return endMs === undefined ? undefined : endMs + ttlSecondsAfterFinished * 1000
}
