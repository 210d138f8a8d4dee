/** FlowSchemas: which requests form a flow, and which priority level the flow belongs to. */

import { deepEqual } from '../../base/deep-equal.ts'
import { byCodeUnit } from '../../base/group-by.ts'
import { type FieldError, FieldPath, invalidValue, notSupported, required } from '../../machinery/meta/field-error.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { ageColumn, NONE, nameColumn, textColumn } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { withZero } from '../field-defaults.ts'
import { dnsSubdomainErrors } from '../field-rules.ts'
import { changedSpec, newSpec, statusOnly } from '../strategy-parts.ts'
import { MANDATORY_FLOWS } from './built-in-flows.ts'
import { flowRuleErrors } from './flow-rules.ts'
import { namedConditionsErrors } from './named-conditions.ts'
import type { FlowSchema, FlowSchemaSpec } from './types.gen.ts'

const PRECEDENCE = 1000
const PRECEDENCE_MAX = 10_000
const DISTINGUISHERS = ['ByNamespace', 'ByUser']
/** The condition of a schema whose priority level is not there. */
export const DANGLING = 'Dangling'

export const flowSchemas = defineResource<FlowSchema>({
  group: 'flowcontrol.apiserver.k8s.io',
  version: 'v1',
  kind: 'FlowSchema',
  resource: 'flowschemas',
  scope: 'Cluster',
  schema: builtinSchema('flowcontrol.v1.FlowSchema'),
  default: (object) => ({ ...object, spec: defaultSpec(object.spec) }),
  prepareForCreate: newSpec,
  prepareForUpdate: changedSpec,
  validate: validateFlowSchema,
  status: {
    prepareForUpdate: statusOnly,
    validateUpdate: ({ status }) => namedConditionsErrors(status?.conditions),
  },
  resetFields: { '': [['status']], status: [['metadata'], ['spec']] },
  columns: [
    nameColumn,
    textColumn('PriorityLevel', ({ spec }: FlowSchema) => spec.priorityLevelConfiguration?.name ?? ''),
    textColumn('MatchingPrecedence', ({ spec }: FlowSchema) => spec.matchingPrecedence ?? 0),
    textColumn('DistinguisherMethod', ({ spec }: FlowSchema) => spec.distinguisherMethod?.type ?? NONE),
    ageColumn,
    textColumn('MissingPL', danglingText),
  ],
  tableOrder: inOrderOfMatching,
})

function defaultSpec(spec: FlowSchemaSpec | undefined): FlowSchemaSpec {
  return withZero(spec ?? { priorityLevelConfiguration: { name: '' } }, { matchingPrecedence: PRECEDENCE })
}

/** The schema that is asked first comes first. */
function inOrderOfMatching(left: FlowSchema, right: FlowSchema): number {
  const byPrecedence = (left.spec.matchingPrecedence ?? 0) - (right.spec.matchingPrecedence ?? 0)
  return byPrecedence || byCodeUnit(left.metadata.name ?? '', right.metadata.name ?? '')
}

function danglingText({ status }: FlowSchema): string {
  return status?.conditions?.find(({ type }) => type === DANGLING)?.status ?? '?'
}

function validateFlowSchema({ metadata, spec }: FlowSchema): readonly FieldError[] {
  const { name = '' } = metadata
  const path = new FieldPath('spec')
  const { distinguisherMethod: method, priorityLevelConfiguration: level, rules = [] } = spec
  const methodPath = path.child('distinguisherMethod', 'type')
  const levelPath = path.child('priorityLevelConfiguration', 'name')
  return [
    ...precedenceErrors(path.child('matchingPrecedence'), spec.matchingPrecedence ?? 0, name),
    ...(method === undefined || DISTINGUISHERS.includes(method.type)
      ? []
      : [notSupported(methodPath, { Type: method.type ?? '' }, DISTINGUISHERS)]),
    ...(level?.name
      ? dnsSubdomainErrors(levelPath, level.name)
      : [required(levelPath, 'must reference a priority level')]),
    ...rules.flatMap((rule, index) => flowRuleErrors(path.child('rules').index(index), rule)),
    ...(Object.hasOwn(MANDATORY_FLOWS, name) && !deepEqual(spec, MANDATORY_FLOWS[name])
      ? [invalidValue(path, spec, `spec of '${name}' must equal the fixed value`)]
      : []),
  ]
}

function precedenceErrors(path: FieldPath, precedence: number, name: string): readonly FieldError[] {
  if (precedence <= 0) return [invalidValue(path, precedence, 'must be a positive value')]
  if (precedence > PRECEDENCE_MAX) return [invalidValue(path, precedence, `must not be greater than ${PRECEDENCE_MAX}`)]
  if (precedence > 1 || name === 'exempt') return []
  return [invalidValue(path, precedence, "only the schema named 'exempt' may have matchingPrecedence 1")]
}
