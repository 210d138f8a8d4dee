/** PriorityClasses: names for how important pods are. The number behind a name never changes. */

import { type FieldError, FieldPath, forbidden, notSupported, required } from '../../machinery/meta/field-error.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { ageColumn, integerColumn, nameColumn, textColumn } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { withAbsent } from '../field-defaults.ts'
import { immutable, startGeneration } from '../strategy-parts.ts'
import type { PriorityClass } from './types.gen.ts'

const SYSTEM_PREFIX = 'system-'
const USER_PRIORITY_MAX = 1_000_000_000

/** The classes that the system itself brings, and their values. */
export const SYSTEM_PRIORITIES: ReadonlyMap<string, number> = new Map([
  ['system-node-critical', 2_000_001_000],
  ['system-cluster-critical', 2_000_000_000],
])

const PREEMPTION_POLICIES = ['PreemptLowerPriority', 'Never']

export const priorityClasses = defineResource<PriorityClass>({
  group: 'scheduling.k8s.io',
  version: 'v1',
  kind: 'PriorityClass',
  resource: 'priorityclasses',
  shortNames: ['pc'],
  scope: 'Cluster',
  schema: builtinSchema('scheduling.v1.PriorityClass'),
  default: (object) => withAbsent(object, { preemptionPolicy: 'PreemptLowerPriority' }),
  prepareForCreate: startGeneration,
  validate: validatePriorityClass,
  ratchets: true,
  validateUpdate: (object, previous) => [
    ...((object.value ?? 0) === (previous.value ?? 0)
      ? []
      : [forbidden(new FieldPath('value'), 'may not be changed in an update.')]),
    ...immutable('preemptionPolicy', object.preemptionPolicy, previous.preemptionPolicy),
  ],
  columns: [
    nameColumn,
    integerColumn('Value', ({ value }: PriorityClass) => value ?? 0),
    { name: 'Global-Default', type: 'boolean', value: ({ globalDefault }: PriorityClass) => globalDefault ?? false },
    ageColumn,
    textColumn('PreemptionPolicy', ({ preemptionPolicy }: PriorityClass) => preemptionPolicy ?? ''),
  ],
})

function validatePriorityClass({
  metadata,
  value = 0,
  preemptionPolicy,
  globalDefault,
}: PriorityClass): readonly FieldError[] {
  const { name = '' } = metadata
  const path = new FieldPath('preemptionPolicy')
  const errors = name.startsWith(SYSTEM_PREFIX)
    ? systemClassErrors(name, value, globalDefault)
    : value > USER_PRIORITY_MAX
      ? [forbidden(new FieldPath('value'), `maximum allowed value of a user defined priority is ${USER_PRIORITY_MAX}`)]
      : []
  if (!preemptionPolicy) return [...errors, required(path)]
  if (PREEMPTION_POLICIES.includes(preemptionPolicy)) return errors
  return [...errors, notSupported(path, preemptionPolicy, PREEMPTION_POLICIES)]
}

function systemClassErrors(name: string, value: number, globalDefault = false): readonly FieldError[] {
  if (SYSTEM_PRIORITIES.get(name) === value && !globalDefault) return []
  const known = SYSTEM_PRIORITIES.get(name)
  const problem =
    known === undefined ? `${name} is not a known system priority class` : systemProblem(name, value, known)
  const rule = `priority class names with '${SYSTEM_PREFIX}' prefix are reserved for system use only`
  return [forbidden(new FieldPath('metadata.name'), `${rule}. error: ${problem}`)]
}

function systemProblem(name: string, value: number, known: number): string {
  if (value !== known) return `value of ${name} PriorityClass must be ${known}`
  return `globalDefault of ${name} PriorityClass must be false`
}
