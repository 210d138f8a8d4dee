/** What a client is warned of about the spec of a job, alone or in a CronJob. */

import { deepEqual } from '../../base/deep-equal.ts'
import type { FieldPath } from '../../machinery/meta/field-error.ts'
import { podTemplateWarnings } from '../core/pod/warnings.ts'
import { isIndexed } from './job-rules.ts'
import type { JobSpec } from './types.gen.ts'

const COMPLETIONS_SOFT_MAX = 100_000
const PARALLELISM_SOFT_MAX = 10_000

export function jobSpecWarnings(spec: JobSpec, previous: JobSpec | undefined, path: FieldPath): readonly string[] {
  const { completions = 0, parallelism = 0, template } = spec
  const isHuge = isIndexed(spec) && completions > COMPLETIONS_SOFT_MAX && parallelism > PARALLELISM_SOFT_MAX
  const advice =
    'In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, ' +
    'Kubernetes might not be able to track completedIndexes when a big number of indexes fail'
  const isSame = !template || (previous && deepEqual(template, previous.template))
  return [
    ...(isHuge ? [`${path}: ${advice}`] : []),
    ...(isSame ? [] : podTemplateWarnings(template, path.child('template'))),
  ]
}
