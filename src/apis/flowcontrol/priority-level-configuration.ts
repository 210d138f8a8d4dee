/** PriorityLevelConfigurations: how many requests of a level run at a time, and what happens to the others. */

import { deepEqual } from '../../base/deep-equal.ts'
import {
  type FieldError,
  FieldPath,
  forbidden,
  invalidValue,
  notSupported,
  required,
} from '../../machinery/meta/field-error.ts'
import { metadataPath } from '../../machinery/meta/validate-meta.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { ageColumn, NONE, nameColumn, textColumn } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { mapField, withAbsent, withZero } from '../field-defaults.ts'
import { changedSpec, newSpec, statusOnly } from '../strategy-parts.ts'
import { MANDATORY_LEVELS } from './built-in-flows.ts'
import { namedConditionsErrors } from './named-conditions.ts'
import type {
  ExemptPriorityLevelConfiguration,
  LimitedPriorityLevelConfiguration,
  LimitResponse,
  PriorityLevelConfiguration,
  PriorityLevelConfigurationSpec,
  QueuingConfiguration,
} from './types.gen.ts'

const SHARES = 30
const QUEUING = { handSize: 8, queues: 64, queueLengthLimit: 50 }
const QUEUES_MAX = 10_000_000
/** Bits of a request's hash from which its queues are drawn; upstream keeps four of 64 for an even draw. */
const HASH_BITS = 60
/** Upstream's way of carrying a zero through an older version of the API. */
const ZERO_ANNOTATION = 'flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares'
const TYPES = ['Exempt', 'Limited']
const RESPONSES = ['Queue', 'Reject']

export const priorityLevelConfigurations = defineResource<PriorityLevelConfiguration>({
  group: 'flowcontrol.apiserver.k8s.io',
  version: 'v1',
  kind: 'PriorityLevelConfiguration',
  resource: 'prioritylevelconfigurations',
  scope: 'Cluster',
  schema: builtinSchema('flowcontrol.v1.PriorityLevelConfiguration'),
  default: (object) => ({ ...object, spec: defaultSpec(object.spec ?? { type: '' }) }),
  prepareForCreate: newSpec,
  prepareForUpdate: changedSpec,
  validate: validateLevel,
  status: {
    prepareForUpdate: statusOnly,
    validateUpdate: ({ status }) => namedConditionsErrors(status?.conditions),
  },
  resetFields: { '': [['status']], status: [['spec'], ['metadata']] },
  columns: [
    nameColumn,
    textColumn('Type', ({ spec }: PriorityLevelConfiguration) => spec.type ?? ''),
    textColumn('NominalConcurrencyShares', ({ spec }: PriorityLevelConfiguration) => {
      return spec.limited === undefined ? NONE : (spec.limited.nominalConcurrencyShares ?? 0)
    }),
    textColumn('Queues', (object: PriorityLevelConfiguration) => queuingOf(object)?.queues ?? NONE),
    textColumn('HandSize', (object: PriorityLevelConfiguration) => queuingOf(object)?.handSize ?? NONE),
    textColumn('QueueLengthLimit', (object: PriorityLevelConfiguration) => queuingOf(object)?.queueLengthLimit ?? NONE),
    ageColumn,
  ],
})

function queuingOf({ spec }: PriorityLevelConfiguration): QueuingConfiguration | undefined {
  return spec.limited?.limitResponse?.queuing
}

function defaultSpec(spec: PriorityLevelConfigurationSpec): PriorityLevelConfigurationSpec {
  const exempted = mapField(spec, 'exempt', (exempt) =>
    withAbsent(exempt, { nominalConcurrencyShares: 0, lendablePercent: 0 }),
  )
  return mapField(exempted, 'limited', (limited) => {
    const queued = mapField(limited, 'limitResponse', (response) =>
      mapField(response, 'queuing', (queuing) => withZero(queuing, QUEUING)),
    )
    return withAbsent(queued, { nominalConcurrencyShares: SHARES, lendablePercent: 0 })
  })
}

function validateLevel({ metadata, spec }: PriorityLevelConfiguration): readonly FieldError[] {
  const { name = '', annotations = {} } = metadata
  const path = new FieldPath('spec')
  return [
    ...(Object.hasOwn(annotations, ZERO_ANNOTATION)
      ? [forbidden(metadataPath.child('annotations'), `annotation '${ZERO_ANNOTATION}' is forbidden`)]
      : []),
    ...((name === 'exempt') === (spec.type === 'Exempt')
      ? []
      : [invalidValue(path.child('type'), spec.type ?? '', "must be 'Exempt' if and only if `name` is 'exempt'")]),
    ...kindErrors(path, spec),
    ...mandatoryErrors(path, name, spec),
  ]
}

function kindErrors(path: FieldPath, { type, exempt, limited }: PriorityLevelConfigurationSpec): readonly FieldError[] {
  switch (type) {
    case 'Exempt':
      return [
        ...(limited === undefined ? [] : [forbidden(path.child('limited'), 'must be nil if the type is not Limited')]),
        ...(exempt === undefined ? [] : exemptErrors(path.child('exempt'), exempt)),
      ]
    case 'Limited':
      return [
        ...(exempt === undefined ? [] : [forbidden(path.child('exempt'), 'must be nil if the type is Limited')]),
        ...(limited === undefined
          ? [required(path.child('limited'), 'must not be empty when type is Limited')]
          : limitedErrors(path.child('limited'), limited)),
      ]
    default:
      return [type ? notSupported(path.child('type'), type, TYPES) : required(path.child('type'))]
  }
}

/** What a level that must exist may not be. The shares of the exempt one are the owner's to set. */
function mandatoryErrors(path: FieldPath, name: string, spec: PriorityLevelConfigurationSpec): readonly FieldError[] {
  const mandatory = Object.hasOwn(MANDATORY_LEVELS, name) ? MANDATORY_LEVELS[name] : undefined
  if (mandatory === undefined) return []
  if (name !== 'exempt') {
    if (deepEqual(spec, mandatory)) return []
    return [invalidValue(path, spec, `spec of '${name}' must equal the fixed value`)]
  }
  if (deepEqual({ ...spec, exempt: mandatory.exempt }, mandatory)) return []
  return [invalidValue(path, spec, `spec of '${name}' except the 'spec.exempt' field must equal the fixed value`)]
}

function shareErrors(
  path: FieldPath,
  { nominalConcurrencyShares: shares = 0 }: ExemptPriorityLevelConfiguration,
): readonly FieldError[] {
  if (shares >= 0) return []
  return [invalidValue(path.child('nominalConcurrencyShares'), shares, 'must be a non-negative integer')]
}

function lendableErrors(
  path: FieldPath,
  { lendablePercent: percent = 0 }: ExemptPriorityLevelConfiguration,
): readonly FieldError[] {
  if (percent >= 0 && percent <= 100) return []
  return [invalidValue(path.child('lendablePercent'), percent, 'must be between 0 and 100, inclusive')]
}

function exemptErrors(path: FieldPath, exempt: ExemptPriorityLevelConfiguration): readonly FieldError[] {
  return [...shareErrors(path, exempt), ...lendableErrors(path, exempt)]
}

function limitedErrors(path: FieldPath, limited: LimitedPriorityLevelConfiguration): readonly FieldError[] {
  const { borrowingLimitPercent: borrowed = 0 } = limited
  return [
    ...shareErrors(path, limited),
    ...responseErrors(path.child('limitResponse'), limited.limitResponse ?? { type: '' }),
    ...lendableErrors(path, limited),
    ...(borrowed < 0
      ? [invalidValue(path.child('borrowingLimitPercent'), borrowed, 'if specified, must be a non-negative integer')]
      : []),
  ]
}

function responseErrors(path: FieldPath, { type, queuing }: LimitResponse): readonly FieldError[] {
  const queuingPath = path.child('queuing')
  switch (type) {
    case 'Reject':
      return queuing === undefined
        ? []
        : [forbidden(queuingPath, 'must be nil if limited.limitResponse.type is not Limited')]
    case 'Queue':
      return queuing === undefined
        ? [required(queuingPath, 'must not be empty if limited.limitResponse.type is Limited')]
        : queuingErrors(queuingPath, queuing)
    default:
      return [type ? notSupported(path.child('type'), type, RESPONSES) : required(path.child('type'))]
  }
}

function queuingErrors(path: FieldPath, queuing: QueuingConfiguration): readonly FieldError[] {
  const { queueLengthLimit: length = 0, queues = 0, handSize = 0 } = queuing
  const queuesPath = path.child('queues')
  return [
    ...(length > 0 ? [] : [invalidValue(path.child('queueLengthLimit'), length, 'must be positive')]),
    ...(queues <= 0
      ? [invalidValue(queuesPath, queues, 'must be positive')]
      : queues > QUEUES_MAX
        ? [invalidValue(queuesPath, queues, `must not be greater than ${QUEUES_MAX}`)]
        : []),
    ...handErrors(path.child('handSize'), handSize, queues),
  ]
}

function handErrors(path: FieldPath, handSize: number, queues: number): readonly FieldError[] {
  if (handSize <= 0) return [invalidValue(path, handSize, 'must be positive')]
  if (handSize > queues) return [invalidValue(path, handSize, `should not be greater than queues (${queues})`)]
  if (Math.ceil(Math.log2(queues) * handSize) <= HASH_BITS) return []
  const detail =
    `required entropy bits of deckSize ${queues} and handSize ${handSize} ` + `should not be greater than ${HASH_BITS}`
  return [invalidValue(path, handSize, detail)]
}
