/** What mutations make of an object: configurations merged into it as server-side apply does, and JSON patches. */

import { isRecord } from '../../../base/is-record.ts'
import { jsonFromValue } from '../../../machinery/cel/json-values.ts'
import { ConstructedObject } from '../../../machinery/cel/kubernetes/admission.ts'
import type { CelValue } from '../../../machinery/cel/values.ts'
import { CelError, ListValue, MapValue } from '../../../machinery/cel/values.ts'
import type { KubeObject } from '../../../machinery/meta/object.ts'
import { checkTyped } from '../../../machinery/patch/check-typed.ts'
import { applyJsonPatch } from '../../../machinery/patch/json-patch.ts'
import { managedSchema } from '../../../machinery/patch/managed-schema.ts'
import { mergeValues } from '../../../machinery/patch/typed-merge.ts'
import { memberSchema, shapeOf } from '../../../machinery/patch/typed-value.ts'
import type { Schema } from '../../../machinery/schema/schema.ts'

/** The object with the configuration merged into it. Throws an error that says why that cannot be. */
export function withConfiguration(object: KubeObject, value: CelValue, ownSchema: Schema): KubeObject {
  const mismatches = misnamedObjects(value, ['Object'])
  if (mismatches.length > 0) throw new Error(`type mismatch: ${mismatches.join('\n')}`)
  const json = jsonFromValue(value)
  if (json instanceof CelError || !isRecord(json)) throw new Error('invalid return type: the value has no JSON form')
  const { apiVersion, kind } = object
  // The checks below look at nothing else that an object must have.
  const applied = { ...json, apiVersion, kind } as KubeObject
  const schema = managedSchema(ownSchema)
  checkTyped({ ...applied, metadata: applied.metadata ?? {} }, schema)
  const atomics = atomicPaths(applied, schema, '')
  if (atomics.length > 0) {
    const detail = `may not mutate atomic arrays, maps or structs: ${atomics.join(', ')}`
    throw new Error(`error applying patch: invalid ApplyConfiguration: ${detail}`)
  }
  // Merging keeps the schema's type.
  return mergeValues(object, applied, schema) as KubeObject
}

/** Objects must be named by the path they stand at: `Object.spec.template` under `spec.template`. */
function misnamedObjects(value: CelValue, path: readonly string[]): readonly string[] {
  if (value instanceof ConstructedObject) {
    const expected = path.join('.')
    const { name } = value.type
    const own =
      name === expected
        ? []
        : [
            `unexpected type name "${name}", expected "${expected}", which matches field name path from root Object type`,
          ]
    return [...own, ...[...value.values].flatMap(([field, part]) => misnamedObjects(part, [...path, field]))]
  }
  if (value instanceof ListValue) {
    return Array.from({ length: value.length }, (_, index) => misnamedObjects(value.at(index), path)).flat()
  }
  if (!(value instanceof MapValue)) return []
  return [...value.keys()].flatMap((key) => misnamedObjects(value.get(key) ?? null, path))
}

/** Paths of lists and maps that are replaced as a whole: what is left out of them would be lost. */
function atomicPaths(value: unknown, schema: Schema | undefined, path: string): readonly string[] {
  if (schema === undefined) return []
  if (Array.isArray(value)) {
    const own = shapeOf(schema) === 'leaf' && schema.type === 'array' ? [path] : []
    return [...own, ...value.flatMap((item, index) => atomicPaths(item, schema.items, `${path}[${index}]`))]
  }
  if (!isRecord(value)) return []
  const own = shapeOf(schema) === 'leaf' && schema.type === 'object' ? [path] : []
  const members = Object.entries(value).flatMap(([key, member]) => {
    const isField = schema.properties !== undefined && Object.hasOwn(schema.properties, key)
    return isField ? atomicPaths(member, memberSchema(schema, key), `${path}.${key}`) : []
  })
  return [...own, ...members]
}

/** The object with the operations done to it; as it was when one of them is a test that fails. Throws. */
export function withJsonPatch(object: KubeObject, value: CelValue): KubeObject {
  if (!(value instanceof ListValue)) throw new Error('type mismatch: JSONPatchType.expression should evaluate to array')
  let patched: unknown = object
  let batch: Operation[] = []
  for (let index = 0; index < value.length; index++) {
    const operation = operationOf(value.at(index))
    batch.push(operation)
    const isTest = operation.op === 'test'
    if (!isTest && index < value.length - 1) continue
    try {
      patched = applyJsonPatch(patched, batch)
    } catch (error) {
      // A test that fails undoes the patch; anything else that fails is an error.
      if (isTest && isApplicable(patched, batch.slice(0, -1))) return object
      throw new Error(`JSON Patch: ${error instanceof Error ? error.message : String(error)}`)
    }
    batch = []
  }
  // An operation on the whole document makes it something else, which the caller finds out.
  return patched as KubeObject
}

interface Operation {
  readonly op: unknown
  readonly path: unknown
  readonly from?: unknown
  readonly value?: unknown
}

function isApplicable(document: unknown, operations: readonly Operation[]): boolean {
  try {
    applyJsonPatch(document, operations)
    return true
  } catch {
    return false
  }
}

function operationOf(value: CelValue): Operation {
  if (!(value instanceof ConstructedObject))
    throw new Error('type mismatch: JSONPatchType.expression should evaluate to array of JSONPatch')
  const { values } = value
  const content = values.get('value')
  const from = values.get('from')
  const operation = { op: values.get('op') ?? '', path: values.get('path') ?? '', ...(from ? { from } : {}) }
  if (content === undefined) return operation
  if (content instanceof ConstructedObject) {
    const mismatches = misnamedObjects(content, [content.type.name])
    if (mismatches.length > 0) throw new Error(`type mismatch: ${mismatches.join('\n')}`)
  }
  const json = jsonFromValue(content)
  if (json instanceof CelError)
    throw new Error(`JSONPath valueExpression evaluated to a type that could not marshal to JSON: ${json.message}`)
  return { ...operation, value: json }
}
