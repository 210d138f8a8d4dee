/** Jobs: pods that run to completion, so many of them, so many at a time. */

import { isConditionTrue } from '../../machinery/meta/conditions.ts'
import { type FieldError, FieldPath, invalidValue } from '../../machinery/meta/field-error.ts'
import { isDns1123Label } from '../../machinery/meta/names.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import { humanDuration, parseTime } from '../../machinery/meta/time.ts'
import { withEnabledTemplate } from '../apps/workload-rules.ts'
import { podNameWarnings } from '../apps/workload-warnings.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { ageColumn, containerColumns, nameColumn, selectorText, textColumn, wideColumn } from '../columns.ts'
import { defaultPodTemplateSpec } from '../core/pod/defaults.ts'
import { defineResource } from '../define-resource.ts'
import type { Cell, TimedCell } from '../definition.ts'
import { mapField, mapItems, withAbsent, withZero } from '../field-defaults.ts'
import { changedSpec, keepSpec, newSpec } from '../strategy-parts.ts'
import { isIndexed, jobSpecErrors } from './job-rules.ts'
import { generatedSelectorErrors, selectorErrors, withGeneratedSelector } from './job-selector.ts'
import { jobStatusErrors } from './job-status-rules.ts'
import { jobUpdateErrors } from './job-update-rules.ts'
import { jobSpecWarnings } from './job-warnings.ts'
import type { Job, JobSpec, PodFailurePolicyRule } from './types.gen.ts'

/** How often pods of a job may fail when nothing else is said. */
const BACKOFF_LIMIT_DEFAULT = 6
const INT32_MAX = 2 ** 31 - 1

const KEEPS_PODS =
  'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set ' +
  'propagationPolicy=Orphan to suppress this warning'

export const jobs = defineResource<Job>({
  group: 'batch',
  version: 'v1',
  kind: 'Job',
  resource: 'jobs',
  categories: ['all'],
  scope: 'Namespaced',
  schema: builtinSchema('batch.v1.Job'),
  default: defaultJob,
  prepareForCreate: (job) => withGeneratedSelector(newSpec(withEnabledTemplate(job))),
  prepareForUpdate: (job, previous) => changedSpec(withEnabledTemplate(job), previous),
  validate: validateJob,
  // The spec is judged twice on its updates, and so are its findings named.
  validateUpdate: (job, previous) => [...specErrors(job), ...jobUpdateErrors(job, previous)],
  warnings: (job, previous) => [...podNameWarnings(job, previous), ...specWarnings(job, previous)],
  status: { prepareForUpdate: keepSpec, validateUpdate: jobStatusErrors },
  resetFields: { '': [['status']], status: [['spec']] },
  deletion: { propagation: 'Orphan', warning: KEEPS_PODS },
  columns: [
    nameColumn,
    textColumn('Status', statusText),
    textColumn('Completions', completionsText),
    textColumn('Duration', durationCell),
    ageColumn,
    ...containerColumns(({ spec }: Job) => spec.template),
    wideColumn('Selector', ({ spec }: Job) => selectorText(spec.selector)),
  ],
  fields: ({ status }) => ({ 'status.successful': String(status?.succeeded ?? 0) }),
  fieldLabels: ['metadata.name', 'metadata.namespace', 'status.successful'],
})

function defaultJob(job: Job): Job {
  const spec = defaultJobSpec(defaultJobTemplate(job.spec ?? {}))
  const { labels } = job.metadata
  const inherited = spec.template?.metadata?.labels
  const metadata =
    Object.keys(labels ?? {}).length === 0 && inherited ? { ...job.metadata, labels: inherited } : job.metadata
  return { ...job, metadata, spec }
}

/** The defaults that the template of a CronJob's jobs has, too: those of the types inside. */
export function defaultJobTemplate(spec: JobSpec): JobSpec {
  const failurePolicy = mapField(spec, 'podFailurePolicy', (policy) =>
    mapField(policy, 'rules', (rules) => mapItems(rules, defaultRule)),
  )
  return mapField(failurePolicy, 'template', defaultPodTemplateSpec)
}

function defaultRule(rule: PodFailurePolicyRule): PodFailurePolicyRule {
  return mapField(rule, 'onPodConditions', (patterns) =>
    mapItems(patterns, (pattern) => withZero(pattern, { status: 'True' })),
  )
}

function defaultJobSpec(spec: JobSpec): JobSpec {
  const counted = spec.parallelism === undefined ? withAbsent(spec, { completions: 1 }) : spec
  return withAbsent(spec.completions === undefined ? counted : spec, {
    parallelism: 1,
    backoffLimit: spec.backoffLimitPerIndex === undefined ? BACKOFF_LIMIT_DEFAULT : INT32_MAX,
    completionMode: 'NonIndexed',
    suspend: false,
    podReplacementPolicy: spec.podFailurePolicy ? 'Failed' : 'TerminatingOrFailed',
    manualSelector: false,
  })
}

const specPath = new FieldPath('spec')

function validateJob(job: Job): readonly FieldError[] {
  return [...generatedSelectorErrors(job), ...specErrors(job), ...hostNameErrors(job)]
}

function specErrors(job: Job): readonly FieldError[] {
  return [...jobSpecErrors(job.spec, specPath), ...selectorErrors(job)]
}

/** The pods of an indexed job have its name with their index as host name. */
function hostNameErrors({ spec, metadata }: Job): readonly FieldError[] {
  const { completions = 0 } = spec
  if (!isIndexed(spec) || completions <= 0) return []
  const { name = '' } = metadata
  const longest = `${name}-${completions - 1}`
  if (isDns1123Label(longest).length === 0) return []
  const detail = `will not able to create pod with invalid DNS label: ${longest}`
  return [invalidValue(new FieldPath('metadata.name'), name, detail)]
}

function specWarnings(job: Job, previous: Job | undefined): readonly string[] {
  if (previous && job.metadata.generation === previous.metadata.generation) return []
  return jobSpecWarnings(job.spec, previous?.spec, specPath)
}

const STATUS_CONDITIONS = ['Complete', 'Failed', 'Terminating', 'Suspended', 'FailureTarget', 'SuccessCriteriaMet']

/** The first of these that holds; the job itself says whether it is terminating. */
function statusText({ metadata, status }: Job): string {
  const holds = (type: string): boolean =>
    type === 'Terminating' ? Boolean(metadata.deletionTimestamp) : isConditionTrue(status?.conditions, type)
  return STATUS_CONDITIONS.find(holds) ?? 'Running'
}

function completionsText({ spec, status }: Job): string {
  const succeeded = status?.succeeded ?? 0
  const { completions, parallelism = 0 } = spec
  if (completions !== undefined) return `${succeeded}/${completions}`
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`
}

function durationCell({ status }: KubeObject & Pick<Job, 'status'>): Cell | TimedCell {
  const start = parseTime(status?.startTime)
  const completion = parseTime(status?.completionTime)
  if (start === undefined) return ''
  return completion === undefined ? (nowMs) => humanDuration(nowMs - start) : humanDuration(completion - start)
}
