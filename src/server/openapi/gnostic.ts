/**
 * The OpenAPI v2 document as the protobuf message that Kubernetes clients read (`openapi.v2.Document`). Two
 * steps: reshape the JSON into the shape of the messages, then encode that by the table of their fields.
 */

import { documentMessages } from './facts.gen.ts'
import { isJson, type Json, withoutAbsent } from './schemas.ts'
import type { DocumentV2 } from './v2.ts'
import { yamlText } from './yaml-text.ts'

export function encodeDocument(document: DocumentV2): Uint8Array {
  return encodeMessage('Document', documentMessage(document))
}

function documentMessage(document: DocumentV2): Json {
  return {
    swagger: document.swagger,
    info: document.info,
    paths: { path: named(document.paths, pathMessage) },
    definitions: { additional_properties: named(document.definitions, schemaMessage) },
    parameters: { additional_properties: named(document.parameters, parameterMessage) },
    security: document.security.map((requirement) => ({
      additional_properties: Object.entries(requirement).map(([name, value]) => ({ name, value: { value } })),
    })),
    security_definitions: {
      additional_properties: named(document.securityDefinitions, ({ type, name, in: place, description }) => ({
        api_key_security: { type, name, in: place, description },
      })),
    },
  }
}

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch']

function pathMessage(path: Json): Json {
  const methods = METHODS.flatMap((method) => (isJson(path[method]) ? [[method, operationMessage(path[method])]] : []))
  return withoutAbsent({ ...Object.fromEntries(methods), parameters: listOf(path.parameters)?.map(parameterItem) })
}

function operationMessage(operation: Json): Json {
  return withoutAbsent({
    tags: operation.tags,
    operation_id: operation.operationId,
    produces: operation.produces,
    consumes: operation.consumes,
    parameters: listOf(operation.parameters)?.map(parameterItem),
    responses: { response_code: named(asJson(operation.responses), responseMessage) },
    schemes: operation.schemes,
    ...extensions(operation),
  })
}

function responseMessage({ description, schema }: Json): Json {
  return {
    response: withoutAbsent({ description, schema: isJson(schema) ? { schema: schemaMessage(schema) } : undefined }),
  }
}

function parameterItem(parameter: Json): Json {
  if (parameter.$ref !== undefined) return { json_reference: { _ref: parameter.$ref } }
  return { parameter: parameterMessage(parameter) }
}

function parameterMessage({ name, in: place, description, required, schema, type, uniqueItems }: Json): Json {
  if (place === 'body') {
    const body = { name, in: place, description, required, schema: schemaMessage(asJson(schema)) }
    return { body_parameter: withoutAbsent(body) }
  }
  const plain = withoutAbsent({ required, in: place, description, name, type, unique_items: uniqueItems })
  return { non_body_parameter: { [`${place}_parameter_sub_schema`]: plain } }
}

/** Keywords that are called otherwise in the message. */
const SCHEMA_FIELDS: Readonly<Record<string, string>> = {
  $ref: '_ref',
  format: 'format',
  title: 'title',
  description: 'description',
  required: 'required',
  multipleOf: 'multiple_of',
  maximum: 'maximum',
  exclusiveMaximum: 'exclusive_maximum',
  minimum: 'minimum',
  exclusiveMinimum: 'exclusive_minimum',
  maxLength: 'max_length',
  minLength: 'min_length',
  pattern: 'pattern',
  maxItems: 'max_items',
  minItems: 'min_items',
  uniqueItems: 'unique_items',
  maxProperties: 'max_properties',
  minProperties: 'min_properties',
}

function schemaMessage(schema: Json): Json {
  const plain = Object.entries(SCHEMA_FIELDS).map(([keyword, field]) => [field, schema[keyword]])
  const { type, items, properties, additionalProperties: additional } = schema
  return withoutAbsent({
    ...Object.fromEntries(plain),
    type: type === undefined ? undefined : { value: [type] },
    enum: Array.isArray(schema.enum) ? schema.enum.map((choice) => ({ yaml: yamlText(choice) })) : undefined,
    items: isJson(items) ? { schema: [schemaMessage(items)] } : undefined,
    properties: isJson(properties) ? { additional_properties: named(properties, schemaMessage) } : undefined,
    additional_properties: isJson(additional)
      ? { schema: schemaMessage(additional) }
      : additional === undefined
        ? undefined
        : { boolean: additional },
    ...extensions(schema),
  })
}

function extensions(node: Json): Json {
  const found = Object.entries(node).filter(([name]) => name.startsWith('x-'))
  if (found.length === 0) return {}
  return { vendor_extension: found.map(([name, value]) => ({ name, value: { yaml: yamlText(value) } })) }
}

function named(object: Json, message: (value: Json) => Json): readonly Json[] {
  return Object.entries(object).map(([name, value]) => ({ name, value: message(asJson(value)) }))
}

function asJson(value: unknown): Json {
  return isJson(value) ? value : {}
}

function listOf(value: unknown): readonly Json[] | undefined {
  return Array.isArray(value) ? value : undefined
}

interface MessageField {
  readonly number: number
  readonly name: string
  readonly type: string
  readonly repeated: boolean
  /** One of several, of which exactly one is set. */
  readonly isAlternative: boolean
}

const fieldTables = new Map<string, readonly MessageField[]>()

function fieldsOf(message: string): readonly MessageField[] {
  let fields = fieldTables.get(message)
  if (fields === undefined) {
    fields = (documentMessages[message] ?? []).map(parseField).sort((left, right) => left.number - right.number)
    fieldTables.set(message, fields)
  }
  return fields
}

function parseField(text: string): MessageField {
  const [number, name = '', type = '', flag] = text.split(' ')
  const repeated = type.startsWith('[]')
  return { number: Number(number), name, type: type.replace('[]', ''), repeated, isAlternative: flag === 'oneof' }
}

const VARINT = 0
const FIXED64 = 1
const LENGTH = 2

/** Fields ascend by number; scalars that are zero are left out, as proto3 does. */
function encodeMessage(message: string, value: Json): Buffer {
  const parts: Buffer[] = []
  for (const field of fieldsOf(message)) {
    const set = value[field.name]
    if (set === undefined) continue
    for (const item of field.repeated && Array.isArray(set) ? set : [set]) encodeField(parts, field, item)
  }
  return Buffer.concat(parts)
}

function encodeField(parts: Buffer[], field: MessageField, value: unknown): void {
  const { number, type, repeated, isAlternative } = field
  switch (type) {
    case 'string':
      if (value !== '' || repeated) pushBytes(parts, number, Buffer.from(String(value)))
      return
    case 'bool':
      // An alternative is written even when it is false: it says which one it is.
      if (value === true || isAlternative) parts.push(varint(number * 8 + VARINT), varint(value === true ? 1 : 0))
      return
    case 'int64':
      if (value !== 0) parts.push(varint(number * 8 + VARINT), varint(Number(value)))
      return
    case 'double':
      if (value !== 0) {
        const bytes = Buffer.alloc(8)
        bytes.writeDoubleLE(Number(value))
        parts.push(varint(number * 8 + FIXED64), bytes)
      }
      return
    default:
      pushBytes(parts, number, encodeMessage(type, asJson(value)))
  }
}

function pushBytes(parts: Buffer[], number: number, bytes: Buffer): void {
  parts.push(varint(number * 8 + LENGTH), varint(bytes.length), bytes)
}

/** For natural numbers within 53 bits. */
function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  do {
    const low = rest % 128
    rest = Math.floor(rest / 128)
    bytes.push(rest > 0 ? low + 128 : low)
  } while (rest > 0)
  return Buffer.from(bytes)
}
