/** job-controller: runs the pods of every Job to completion, and lets go of pods whose job is gone. */

import { jobs } from '../../../apis/batch/job.ts'
import type { Job } from '../../../apis/batch/types.gen.ts'
import { pods } from '../../../apis/core/pod/definition.ts'
import type { Pod } from '../../../apis/core/types.gen.ts'
import { selectorFromLabelSelector } from '../../../machinery/meta/labels.ts'
import { keyOf, keyText } from '../../../machinery/meta/object.ts'
import { controllerOf, isControlledBy } from '../../../machinery/meta/owner.ts'
import { orphanWatch } from '../../apps/replicas.ts'
import { claimCandidates } from '../../runtime/claim.ts'
import { type Cache, defineController, type ReconcilingController } from '../../runtime/controller.ts'
import { FailureMemory, noFailures } from './backoff.ts'
import { isTracked } from './job-pods.ts'
import { untrackUnchangedAction } from './management.ts'
import { isFinished, type JobView, planJob } from './plan.ts'

const NAME = 'job-controller'
/** What `spec.managedBy` says of jobs that are this controller's. */
const MANAGER = 'kubernetes.io/job-controller'

function isForeign({ spec }: Job): boolean {
  return spec.managedBy !== undefined && spec.managedBy !== MANAGER
}

export function jobController(): ReconcilingController<JobView, Job> {
  const memory = new FailureMemory()
  return defineController({
    name: NAME,
    reconciles: jobs,
    owns: [pods],
    watches: [orphanWatch(jobs, ({ spec }) => selectorFromLabelSelector(spec.selector), pods)],
    observe: (cache, key): JobView | undefined => {
      const job = cache.get(jobs, key)
      const isOver = !job || isForeign(job) || isFinished(job)
      if (isOver) memory.forget(keyText(key))
      if (!job || isForeign(job)) return undefined
      const candidates = claimCandidates(cache, pods, job)
      if (isOver) return { job, candidates, failures: noFailures }
      const own = candidates.filter((pod) => isControlledBy(pod, job))
      return { job, candidates, failures: memory.note(keyText(key), job, own) }
    },
    plan: planJob,
  })
}

/** Part of the job-controller: pods that are held for a job that does not exist any more. */
export const orphanedJobPods = defineController({
  name: NAME,
  reconciles: pods,
  concerns: isTracked,
  watches: [
    {
      definition: jobs,
      keysOf: (job: Job, cache: Cache) => cache.controlledBy(pods, job).map(keyOf),
      ignores: () => true,
    },
  ],
  observe: (cache, key): Pod | undefined => {
    const pod = cache.get(pods, key)
    return pod && isTracked(pod) && isOrphaned(pod, cache) ? pod : undefined
  },
  // A job that adopts the pod meanwhile changes its version, and keeps it.
  plan: (pod) => ({ actions: [untrackUnchangedAction(pod)] }),
})

function isOrphaned(pod: Pod, cache: Cache): boolean {
  const owner = controllerOf(pod)
  if (!owner) return true
  if (owner.kind !== jobs.kind || owner.apiVersion !== `${jobs.group}/${jobs.version}`) return false
  return cache.get(jobs, { namespace: pod.metadata.namespace, name: owner.name })?.metadata.uid !== owner.uid
}
