/** CronJobs: a template for jobs and the times at which they are made. */

import { type FieldError, FieldPath, invalidValue, notSupported, required } from '../../machinery/meta/field-error.ts'
import { byteLength } from '../../machinery/meta/names.ts'
import { withEnabledTemplate } from '../apps/workload-rules.ts'
import { podNameWarnings } from '../apps/workload-warnings.ts'
import { builtinSchema } from '../builtin-schema.ts'
import {
  ageCell,
  ageColumn,
  containerColumns,
  integerColumn,
  NONE,
  nameColumn,
  selectorText,
  textColumn,
  wideColumn,
} from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import type { Column } from '../definition.ts'
import { mapField, withAbsent, withZero } from '../field-defaults.ts'
import { nonNegative, oneOf } from '../field-rules.ts'
import { changedSpec, keepSpec, newSpec } from '../strategy-parts.ts'
import { parseCronSchedule } from './cron-schedule.ts'
import { defaultJobTemplate } from './job.ts'
import { jobSpecErrors } from './job-rules.ts'
import { jobSpecWarnings } from './job-warnings.ts'
import { timeZoneErrors } from './time-zone.ts'
import type { CronJob, CronJobSpec, JobSpec } from './types.gen.ts'

const CONCURRENCY_POLICIES = ['Allow', 'Forbid', 'Replace']
/** Bytes of a DNS label without the eleven that the names of its jobs end with: a hyphen and the time. */
const NAME_BYTES_MAX = 52

export const cronJobs = defineResource<CronJob>({
  group: 'batch',
  version: 'v1',
  kind: 'CronJob',
  resource: 'cronjobs',
  shortNames: ['cj'],
  categories: ['all'],
  scope: 'Namespaced',
  schema: builtinSchema('batch.v1.CronJob'),
  default: (object) => ({ ...object, spec: defaultSpec(object.spec ?? {}) }),
  prepareForCreate: (object) => newSpec(withEnabledJob(object)),
  prepareForUpdate: (object, previous) => changedSpec(withEnabledJob(object), previous),
  validate: validateCronJob,
  validateCreate: nameErrors,
  warnings: cronJobWarnings,
  status: { prepareForUpdate: keepSpec, validateUpdate: () => [] },
  resetFields: { '': [['status']], status: [['spec']] },
  columns: [
    nameColumn,
    textColumn('Schedule', ({ spec }: CronJob) => spec.schedule ?? ''),
    textColumn('Timezone', ({ spec }: CronJob) => spec.timeZone ?? NONE),
    suspendColumn(),
    integerColumn('Active', ({ status }: CronJob) => status?.active?.length ?? 0),
    textColumn('Last Schedule', ({ status }: CronJob) =>
      status?.lastScheduleTime ? ageCell(status.lastScheduleTime) : NONE,
    ),
    ageColumn,
    ...containerColumns(({ spec }: CronJob) => spec.jobTemplate?.spec?.template),
    wideColumn('Selector', ({ spec }: CronJob) => selectorText(spec.jobTemplate?.spec?.selector)),
  ],
})

function suspendColumn(): Column<CronJob> {
  return { name: 'Suspend', type: 'boolean', value: ({ spec }) => (spec.suspend === true ? 'True' : 'False') }
}

function defaultSpec(spec: CronJobSpec): CronJobSpec {
  const filled = withAbsent(withZero(spec, { concurrencyPolicy: 'Allow' }), {
    suspend: false,
    successfulJobsHistoryLimit: 3,
    failedJobsHistoryLimit: 1,
  })
  return mapField(filled, 'jobTemplate', (template) => mapField(template, 'spec', defaultJobTemplate))
}

const specPath = new FieldPath('spec')

function withEnabledJob(object: CronJob): CronJob {
  return mapField(object, 'spec', (spec) => mapField(spec, 'jobTemplate', withEnabledTemplate))
}

function validateCronJob({ spec }: CronJob): readonly FieldError[] {
  return [
    ...scheduleErrors(spec.schedule ?? ''),
    ...nonNegative(specPath.child('startingDeadlineSeconds'), spec.startingDeadlineSeconds),
    ...timeZoneErrors(specPath.child('timeZone'), spec.timeZone),
    ...oneOf(specPath.child('concurrencyPolicy'), spec.concurrencyPolicy, CONCURRENCY_POLICIES),
    ...jobTemplateErrors(spec.jobTemplate?.spec, specPath.child('jobTemplate', 'spec')),
    ...nonNegative(specPath.child('successfulJobsHistoryLimit'), spec.successfulJobsHistoryLimit),
    ...nonNegative(specPath.child('failedJobsHistoryLimit'), spec.failedJobsHistoryLimit),
  ]
}

function nameErrors({ metadata }: CronJob): readonly FieldError[] {
  const { name = '' } = metadata
  if (byteLength(name) <= NAME_BYTES_MAX) return []
  return [invalidValue(new FieldPath('metadata.name'), name, `must be no more than ${NAME_BYTES_MAX} characters`)]
}

function scheduleErrors(schedule: string): readonly FieldError[] {
  const path = specPath.child('schedule')
  if (schedule === '') return [required(path)]
  const parsed = parseCronSchedule(schedule)
  const errors = typeof parsed === 'string' ? [invalidValue(path, schedule, parsed)] : []
  const detail = 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead'
  return schedule.includes('TZ') ? [...errors, invalidValue(path, schedule, detail)] : errors
}

/** Jobs that are made of a template always get a selector of their own. */
function jobTemplateErrors(spec: JobSpec | undefined, path: FieldPath): readonly FieldError[] {
  const { selector, manualSelector } = spec ?? {}
  return [
    ...jobSpecErrors(spec ?? { template: {} }, path),
    ...(selector ? [invalidValue(path.child('selector'), selector, '`selector` will be auto-generated')] : []),
    ...(manualSelector ? [notSupported(path.child('manualSelector'), manualSelector, ['nil', 'false'])] : []),
  ]
}

function cronJobWarnings(object: CronJob, previous: CronJob | undefined): readonly string[] {
  const isSame = previous && object.metadata.generation === previous.metadata.generation
  const path = specPath.child('jobTemplate', 'spec')
  const { spec } = object.spec.jobTemplate ?? {}
  const warnings = isSame || !spec ? [] : jobSpecWarnings(spec, previous?.spec.jobTemplate?.spec, path)
  return [...podNameWarnings(object, previous), ...warnings]
}
