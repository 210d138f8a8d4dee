/**
 * The rules of a job's status: what never goes together, and what never goes back. Most are asked only when the
 * update touches their fields: a status that already broke them, or a spec that moved on, can still be written to.
 */

import { deepEqual } from '../../base/deep-equal.ts'
import { isConditionTrue } from '../../machinery/meta/conditions.ts'
import {
  duplicate,
  type FieldError,
  FieldPath,
  invalidField,
  invalidValue,
  required,
} from '../../machinery/meta/field-error.ts'
import { parseTime } from '../../machinery/meta/time.ts'
import { nonNegative } from '../field-rules.ts'
import { commonIndex, parseIndexes } from './index-intervals.ts'
import { isIndexed } from './job-rules.ts'
import type { Job, JobStatus } from './types.gen.ts'

const COUNTS = ['active', 'succeeded', 'failed', 'ready', 'terminating'] as const
const path = new FieldPath('status')
const conditionsPath = path.child('conditions')

export function jobStatusErrors(job: Job, previous: Job): readonly FieldError[] {
  const change = changeOf(job, previous)
  return [
    ...COUNTS.flatMap((field) => nonNegative(path.child(field), job.status?.[field])),
    ...uncountedErrors(job.status),
    ...conditionErrors(change),
    ...timeErrors(change),
    ...finishedErrors(change),
    ...indexErrors(change),
    ...transitionErrors(change),
  ]
}

interface Change {
  readonly job: Job
  readonly now: JobStatus
  readonly before: JobStatus
  /** Whether one of the fields differs. */
  changes(...fields: readonly (keyof JobStatus)[]): boolean
  /** Whether one of the conditions has become true, or is so no more. */
  turns(...types: readonly string[]): boolean
  has(type: string): boolean
  had(type: string): boolean
}

function changeOf(job: Job, previous: Job): Change {
  const [now, before] = [job.status ?? {}, previous.status ?? {}]
  const has = (type: string): boolean => isConditionTrue(now.conditions, type)
  const had = (type: string): boolean => isConditionTrue(before.conditions, type)
  return {
    job,
    now,
    before,
    changes: (...fields) => fields.some((field) => !deepEqual(now[field], before[field])),
    turns: (...types) => types.some((type) => has(type) !== had(type)),
    has,
    had,
  }
}

function isFinished(has: (type: string) => boolean): boolean {
  return has('Complete') || has('Failed')
}

function uncountedErrors(status: JobStatus | undefined): readonly FieldError[] {
  const uncounted = status?.uncountedTerminatedPods
  const seen = new Set<string>()
  return (['succeeded', 'failed'] as const).flatMap((list) =>
    (uncounted?.[list] ?? []).flatMap((uid, index) => {
      const place = path.child('uncountedTerminatedPods', list).index(index)
      if (uid === '') return [invalidValue(place, uid, 'must not be empty')]
      if (seen.has(uid)) return [duplicate(place, uid)]
      seen.add(uid)
      return []
    }),
  )
}

function conditionErrors({ job, has, turns, changes }: Change): readonly FieldError[] {
  const rules: readonly (readonly [asked: boolean, broken: boolean, detail: string])[] = [
    [
      turns('Complete', 'Failed'),
      has('Complete') && has('Failed'),
      'cannot set Complete=True and Failed=true conditions',
    ],
    [
      turns('Complete', 'FailureTarget'),
      has('Complete') && has('FailureTarget'),
      'cannot set Complete=True and FailureTarget=true conditions',
    ],
    [
      turns('Failed') || changes('failedIndexes'),
      has('Failed') && !has('FailureTarget'),
      'cannot set Failed=True condition without the FailureTarget=true condition',
    ],
    [
      turns('Complete', 'SuccessCriteriaMet'),
      has('Complete') && !has('SuccessCriteriaMet'),
      'cannot set Complete=True condition without the SuccessCriteriaMet=true condition',
    ],
    [true, has('SuccessCriteriaMet') && has('Failed'), 'cannot set SuccessCriteriaMet=True and Failed=true conditions'],
    [
      true,
      has('SuccessCriteriaMet') && has('FailureTarget'),
      'cannot set SuccessCriteriaMet=True and FailureTarget=true conditions',
    ],
    [
      job.spec.successPolicy !== undefined,
      !has('SuccessCriteriaMet') && has('Complete'),
      'cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True',
    ],
  ]
  return rules.flatMap(([asked, broken, detail]) => (asked && broken ? [invalidField(conditionsPath, detail)] : []))
}

function timeErrors({ now, has, turns, changes }: Change): readonly FieldError[] {
  const { startTime, completionTime } = now
  const completionPath = path.child('completionTime')
  const errors: FieldError[] = []
  if (turns('Complete') || changes('completionTime')) {
    const detail = 'cannot set completionTime when there is no Complete=True condition'
    if (completionTime && !has('Complete')) errors.push(invalidValue(completionPath, completionTime, detail))
    if (!completionTime && has('Complete'))
      errors.push(required(completionPath, 'completionTime is required for Complete jobs'))
  }
  const [start, completion] = [parseTime(startTime), parseTime(completionTime)]
  const isEarlier = start !== undefined && completion !== undefined && completion < start
  if (changes('startTime', 'completionTime') && isEarlier)
    errors.push(invalidValue(completionPath, completionTime, 'must be equal to or after `startTime`'))
  return errors
}

function finishedErrors({ job, now, has, had, changes }: Change): readonly FieldError[] {
  const finishes = isFinished(has) !== isFinished(had)
  const { active = 0, ready, terminating = 0, uncountedTerminatedPods: uncounted } = now
  const errors: FieldError[] = []
  if (isFinished(has)) {
    if ((finishes || changes('active')) && active > 0)
      errors.push(invalidValue(path.child('active'), active, 'active>0 is invalid for finished job'))
    const neverRan = job.spec.suspend === true && job.spec.completions === 0
    if ((finishes || changes('startTime')) && !neverRan && !now.startTime)
      errors.push(required(path.child('startTime'), 'startTime is required for finished job'))
    const isUncounted = (uncounted?.failed ?? []).length + (uncounted?.succeeded ?? []).length > 0
    if ((finishes || changes('uncountedTerminatedPods')) && isUncounted)
      errors.push(invalidValue(path.child('uncountedTerminatedPods'), uncounted, 'must be empty for finished job'))
    if ((finishes || changes('terminating')) && terminating > 0)
      errors.push(invalidValue(path.child('terminating'), terminating, 'terminating>0 is invalid for finished job'))
  }
  if (changes('ready', 'active') && ready !== undefined && ready > active)
    errors.push(invalidValue(path.child('ready'), ready, 'cannot set more ready pods than active'))
  return errors
}

function indexErrors({ job, now, changes }: Change): readonly FieldError[] {
  const { completions, backoffLimitPerIndex } = job.spec
  const { completedIndexes = '', failedIndexes } = now
  const [completedPath, failedPath] = [path.child('completedIndexes'), path.child('failedIndexes')]
  const errors: FieldError[] = []
  if (changes('completedIndexes')) {
    errors.push(...formatErrors(completedPath, completedIndexes, completions))
    const detail = 'cannot set non-empty completedIndexes when non-indexed completion mode'
    if (completedIndexes !== '' && !isIndexed(job.spec))
      errors.push(invalidValue(completedPath, completedIndexes, detail))
  }
  if (failedIndexes === undefined) return errors
  if (changes('failedIndexes')) {
    if (backoffLimitPerIndex !== undefined) errors.push(...formatErrors(failedPath, failedIndexes, completions))
    const detail = 'cannot set non-null failedIndexes when backoffLimitPerIndex is null'
    if (backoffLimitPerIndex === undefined) errors.push(invalidValue(failedPath, failedIndexes, detail))
  }
  if (completions === undefined || !changes('failedIndexes', 'completedIndexes')) return errors
  const common = commonIndex(completedIndexes, failedIndexes, completions)
  if (common === undefined) return errors
  const detail = `failedIndexes and completedIndexes overlap at index: ${common}`
  return [...errors, invalidValue(failedPath, failedIndexes, detail)]
}

function formatErrors(place: FieldPath, text: string, completions: number | undefined): readonly FieldError[] {
  if (completions === undefined) return []
  const indexes = parseIndexes(text, completions)
  const field = place.text.slice(path.text.length + 1)
  return typeof indexes === 'string' ? [invalidValue(place, text, `error parsing ${field}: ${indexes}`)] : []
}

function transitionErrors(change: Change): readonly FieldError[] {
  const { job, now, before, has, had, changes } = change
  const errors: FieldError[] = []
  for (const type of ['Failed', 'Complete', 'FailureTarget']) {
    if (had(type) && !has(type))
      errors.push(invalidField(conditionsPath, `cannot disable the terminal ${type}=True condition`))
  }
  errors.push(...counterErrors(change))
  if (now.completionTime && before.completionTime && changes('completionTime'))
    errors.push(invalidValue(path.child('completionTime'), now.completionTime, 'field is immutable'))
  const isSuspended = job.spec.suspend === true
  if (before.startTime && changes('startTime') && !isResuming(change) && !isSuspended) {
    const detail = 'field is immutable for unsuspended job once set'
    errors.push(invalidValue(path.child('startTime'), now.startTime ?? null, detail))
  }
  if (had('SuccessCriteriaMet') && !has('SuccessCriteriaMet'))
    errors.push(invalidField(conditionsPath, 'cannot disable the SuccessCriteriaMet=True condition'))
  if (had('Complete') && !had('SuccessCriteriaMet') && has('SuccessCriteriaMet')) {
    const detail = 'cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions'
    errors.push(invalidField(conditionsPath, detail))
  }
  return errors
}

/** Counts only grow, but an indexed job that shrinks forgets the indexes above. */
function counterErrors({ job, now, before }: Change): readonly FieldError[] {
  const { completions, parallelism } = job.spec
  const mayShrink = isIndexed(job.spec) && completions === parallelism
  const counters = mayShrink ? (['failed'] as const) : (['failed', 'succeeded'] as const)
  return counters.flatMap((field) =>
    (now[field] ?? 0) < (before[field] ?? 0)
      ? [invalidValue(path.child(field), now[field] ?? 0, `cannot decrease the ${field} counter`)]
      : [],
  )
}

function isResuming({ now, had }: Change): boolean {
  const suspended = (now.conditions ?? []).find(({ type, status }) => type === 'Suspended' && status === 'False')
  return had('Suspended') && suspended !== undefined
}
