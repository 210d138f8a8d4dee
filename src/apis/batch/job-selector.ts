/** The selector that a job gets: its own uid as a label on its pods, so that no two jobs share any. */

import { deepEqual } from '../../base/deep-equal.ts'
import { type FieldError, FieldPath, invalidValue, required } from '../../machinery/meta/field-error.ts'
import { selectorFromLabelSelector, validateLabelSelector } from '../../machinery/meta/labels.ts'
import type { Job } from './types.gen.ts'

const CONTROLLER_UID_LABEL = 'batch.kubernetes.io/controller-uid'
const JOB_NAME_LABEL = 'batch.kubernetes.io/job-name'
const LEGACY_CONTROLLER_UID_LABEL = 'controller-uid'
const LEGACY_JOB_NAME_LABEL = 'job-name'

/** What the job's pods are labelled with, under the new and the old names. */
function generatedLabels({ metadata }: Job): Readonly<Record<string, string>> {
  const { name = '', uid = '' } = metadata
  return {
    [LEGACY_CONTROLLER_UID_LABEL]: uid,
    [LEGACY_JOB_NAME_LABEL]: name,
    [CONTROLLER_UID_LABEL]: uid,
    [JOB_NAME_LABEL]: name,
  }
}

/** Labels that the client has set stay; where they are other ones, validation refuses the job. */
export function withGeneratedSelector(job: Job): Job {
  const { spec, metadata } = job
  if (spec.manualSelector) return job
  const { labels: own } = spec.template?.metadata ?? {}
  const labels = { ...generatedLabels(job), ...own }
  const template = { ...spec.template, metadata: { ...spec.template?.metadata, labels } }
  const { matchLabels } = spec.selector ?? {}
  const selector = { ...spec.selector, matchLabels: { [CONTROLLER_UID_LABEL]: metadata.uid ?? '', ...matchLabels } }
  // A job without labels has those of its template, and upstream keeps them one and the same.
  const shared = deepEqual(own ?? {}, metadata.labels ?? {})
  return { ...job, metadata: shared ? { ...metadata, labels } : metadata, spec: { ...spec, selector, template } }
}

const specPath = new FieldPath('spec')

export function generatedSelectorErrors(job: Job): readonly FieldError[] {
  const { spec, metadata } = job
  if (spec.manualSelector || !spec.selector) return []
  const errors: FieldError[] = metadata.uid ? [] : [required(new FieldPath('metadata.uid'))]
  const expected = generatedLabels(job)
  const actual = spec.template?.metadata?.labels ?? {}
  const labelsPath = specPath.child('template', 'metadata', 'labels')
  for (const [label, value] of Object.entries(expected)) {
    const found = Object.hasOwn(actual, label) ? actual[label] : undefined
    if (found === undefined) errors.push(required(labelsPath.key(label), `must be '${value}'`))
    else if (found !== value) errors.push(invalidValue(labelsPath.key(label), actual, `must be '${value}'`))
  }
  if (!matches(job, expected))
    errors.push(invalidValue(specPath.child('selector'), spec.selector, '`selector` not auto-generated'))
  return errors
}

/** The selector is there, well-formed, and picks the template's pods. */
export function selectorErrors(job: Job): readonly FieldError[] {
  const { selector, template } = job.spec
  const path = specPath.child('selector')
  const errors = selector ? validateLabelSelector(selector, path) : [required(path)]
  const labels = template?.metadata?.labels
  if (matches(job, labels ?? {})) return errors
  const detail = '`selector` does not match template `labels`'
  return [...errors, invalidValue(specPath.child('template', 'metadata', 'labels'), labels ?? null, detail)]
}

/** True for a selector that cannot be read: that is reported on its own. None at all picks nothing. */
function matches({ spec }: Job, labels: Readonly<Record<string, string>>): boolean {
  if (validateLabelSelector(spec.selector, specPath).length > 0) return true
  return selectorFromLabelSelector(spec.selector).matches(labels)
}
