/**
 * Expressions that choose devices: what they may name, what they must come to, and what the worst of them may cost.
 * Sizes are those that slices are held to, so that the cost of an expression is known before there is a device.
 */

import { compile, estimateCost, kubernetesEnvironment } from '../../machinery/cel/cel.ts'
import type { Environment } from '../../machinery/cel/environment.ts'
import { QUANTITY } from '../../machinery/cel/kubernetes/quantities.ts'
import { ANY, BOOL, type CelType, mapType, objectType, STRING, typeText } from '../../machinery/cel/types.ts'
import { type FieldError, type FieldPath, forbidden, invalidValue, tooLong } from '../../machinery/meta/field-error.ts'
import { byteLength } from '../../machinery/meta/names.ts'
import { expressionErrors } from '../expression-errors.ts'
import {
  ATTRIBUTE_VALUE_BYTES_MAX,
  ATTRIBUTES_AND_CAPACITIES_MAX,
  DRIVER_NAME_BYTES_MAX,
  IDENTIFIER_BYTES_MAX,
} from './device-limits.ts'

const EXPRESSION_BYTES_MAX = 10 * 1024
/** In the units of the expression language. */
const COST_MAX = 1_000_000

const DOMAIN: CelType = { ...STRING, maxSize: DRIVER_NAME_BYTES_MAX }
const IDENTIFIER: CelType = { ...STRING, maxSize: IDENTIFIER_BYTES_MAX }

/** By domain, then by the name without it. */
function byName(value: CelType): CelType {
  const ofDomain = mapType(IDENTIFIER, value, ATTRIBUTES_AND_CAPACITIES_MAX)
  return mapType(DOMAIN, ofDomain, ATTRIBUTES_AND_CAPACITIES_MAX)
}

const FIELDS: ReadonlyMap<string, CelType> = new Map([
  ['driver', DOMAIN],
  ['allowMultipleAllocations', { ...BOOL, maxSize: 1 }],
  ['attributes', byName({ ...ANY, maxSize: ATTRIBUTE_VALUE_BYTES_MAX })],
  ['capacity', byName(QUANTITY)],
])

const DEVICE = objectType('kubernetes.DRADevice', (name) => {
  const type = FIELDS.get(name)
  return type && { type }
})

let environment: Environment | undefined

export function deviceExpressionErrors(path: FieldPath, source: string): readonly FieldError[] {
  if (byteLength(source) > EXPRESSION_BYTES_MAX) return [tooLong(path, EXPRESSION_BYTES_MAX)]
  environment ??= kubernetesEnvironment({ variables: { device: DEVICE }, bindings: true })
  const compiled = compile(source, environment)
  if ('issues' in compiled) return [invalidValue(path, source, `compilation failed: ${compiled.text}`)]
  const { type, failure } = compiled.program
  // An attribute may be anything, and so may be a truth.
  if (type.kind !== 'bool' && type.kind !== 'any') {
    const detail = `must evaluate to bool or the unknown type, not ${type.kind === 'null_type' ? 'null_type' : typeText(type)}`
    return [invalidValue(path, source, detail)]
  }
  if (failure !== undefined)
    return expressionErrors(path, source, { failure: `program instantiation failed: ${failure}`, isInternal: true })
  return estimateCost(compiled.program).max > COST_MAX ? [forbidden(path, 'too complex, exceeds cost limit')] : []
}
