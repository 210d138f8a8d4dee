/**
 * The types of the Common Expression Language. Object types resolve their fields when asked, so a type over a
 * schema of any size costs nothing until an expression names a field of it. Types are plain frozen-by-habit data;
 * two object types are the same type when their names are the same.
 */

export type SimpleKind =
  | 'bool'
  | 'int'
  | 'uint'
  | 'double'
  | 'string'
  | 'bytes'
  | 'null_type'
  | 'timestamp'
  | 'duration'
  | 'dyn'
  | 'any'
  | 'error'

export interface SimpleType {
  readonly kind: SimpleKind
  /** The most characters (string) or bytes a value may have; absent: no limit is known. Only estimates use it. */
  readonly maxSize?: number | undefined
}

export interface ListType {
  readonly kind: 'list'
  readonly element: CelType
  /** The most elements; absent: no limit is known. Only estimates use it. */
  readonly maxSize?: number | undefined
  /**
   * How elements of a JSON list are told apart: `set` by value, keys by those fields. Such lists are equal in any
   * order, and `+` merges them. Absent: an ordinary list.
   */
  readonly identity?: 'set' | readonly string[] | undefined
}

export interface MapType {
  readonly kind: 'map'
  readonly key: CelType
  readonly value: CelType
  /** The most entries; absent: no limit is known. Only estimates use it. */
  readonly maxSize?: number | undefined
}

export interface ObjectField {
  readonly type: CelType
  /** The name in JSON, where it differs from the name in expressions (`__namespace__` stands for `namespace`). */
  readonly property?: string | undefined
}

export interface ObjectType {
  readonly kind: 'object'
  readonly name: string
  /** The field of this name as expressions write it, or undefined. Called at compile time and on access. */
  field(name: string): ObjectField | undefined
}

/** A type expressions can only pass around and call functions of, such as `kubernetes.Quantity` or `optional_type`. */
export interface OpaqueType {
  readonly kind: 'opaque'
  readonly name: string
  readonly parameters: readonly CelType[]
}

/** The type of types. */
export interface TypeType {
  readonly kind: 'type'
  readonly of?: CelType | undefined
}

/** A type parameter in the declaration of a function. */
export interface ParameterType {
  readonly kind: 'parameter'
  readonly name: string
}

/** A scalar or null. */
export interface WrapperType {
  readonly kind: 'wrapper'
  readonly of: SimpleType
}

export type CelType = SimpleType | ListType | MapType | ObjectType | OpaqueType | TypeType | ParameterType | WrapperType

export const BOOL: SimpleType = { kind: 'bool' }
export const INT: SimpleType = { kind: 'int' }
export const UINT: SimpleType = { kind: 'uint' }
export const DOUBLE: SimpleType = { kind: 'double' }
export const STRING: SimpleType = { kind: 'string' }
export const BYTES: SimpleType = { kind: 'bytes' }
export const NULL: SimpleType = { kind: 'null_type' }
export const TIMESTAMP: SimpleType = { kind: 'timestamp' }
export const DURATION: SimpleType = { kind: 'duration' }
export const DYN: SimpleType = { kind: 'dyn' }
export const ANY: SimpleType = { kind: 'any' }
/** What an expression with an error has; it fits everything so that one mistake is one message. */
export const ERROR: SimpleType = { kind: 'error' }
export const TYPE: TypeType = { kind: 'type' }

export function listType(element: CelType, maxSize?: number): ListType {
  return { kind: 'list', element, maxSize }
}

export function mapType(key: CelType, value: CelType, maxSize?: number): MapType {
  return { kind: 'map', key, value, maxSize }
}

/** An object whose fields `field` finds; it is asked once per name. */
export function objectType(name: string, field: (name: string) => ObjectField | undefined): ObjectType {
  const known = new Map<string, ObjectField | undefined>()
  return {
    kind: 'object',
    name,
    field: (fieldName) => {
      if (known.has(fieldName)) return known.get(fieldName)
      const found = field(fieldName)
      if (found !== undefined) known.set(fieldName, found)
      return found
    },
  }
}

export function opaqueType(name: string, ...parameters: readonly CelType[]): OpaqueType {
  return { kind: 'opaque', name, parameters }
}

export function optionalType(of: CelType): OpaqueType {
  return opaqueType('optional_type', of)
}

export function typeType(of: CelType): TypeType {
  return { kind: 'type', of }
}

export function wrapperType(of: SimpleType): WrapperType {
  return { kind: 'wrapper', of }
}

export function typeParameter(name: string): ParameterType {
  return { kind: 'parameter', name }
}

export function isOptional(type: CelType): type is OpaqueType {
  return type.kind === 'opaque' && type.name === 'optional_type'
}

/** The name a type has as a value: `int`, `list`, `google.protobuf.Timestamp`. */
export function typeName(type: CelType): string {
  switch (type.kind) {
    case 'timestamp':
      return 'google.protobuf.Timestamp'
    case 'duration':
      return 'google.protobuf.Duration'
    case 'any':
      return 'google.protobuf.Any'
    case 'object':
    case 'opaque':
    case 'parameter':
      return type.name
    case 'wrapper':
      return typeName(type.of)
    case 'error':
      return '!error!'
    default:
      return type.kind
  }
}

/** The type as messages print it: `list(int)`, `map(string, dyn)`. */
export function typeText(type: CelType): string {
  switch (type.kind) {
    case 'list':
      return `list(${typeText(type.element)})`
    case 'map':
      return `map(${typeText(type.key)}, ${typeText(type.value)})`
    case 'opaque':
      return type.parameters.length === 0 ? type.name : `${type.name}(${type.parameters.map(typeText).join(', ')})`
    case 'type':
      return type.of === undefined ? 'type' : `type(${typeText(type.of)})`
    case 'wrapper':
      return `wrapper(${typeText(type.of)})`
    case 'object':
    case 'parameter':
      return type.name
    case 'null_type':
      return 'null'
    case 'error':
      return '!error!'
    default:
      return type.kind
  }
}

/** Whether two types are the same type, parameters included. */
export function sameType(left: CelType, right: CelType): boolean {
  if (left === right) return true
  if (left.kind === 'list' && right.kind === 'list') return sameType(left.element, right.element)
  if (left.kind === 'map' && right.kind === 'map') {
    return sameType(left.key, right.key) && sameType(left.value, right.value)
  }
  if (left.kind === 'opaque' && right.kind === 'opaque') {
    const { parameters } = right
    if (left.name !== right.name || left.parameters.length !== parameters.length) return false
    return left.parameters.every((parameter, index) => sameType(parameter, parameters[index] ?? ERROR))
  }
  if (left.kind === 'type' && right.kind === 'type') {
    return left.of === right.of || (left.of !== undefined && right.of !== undefined && sameType(left.of, right.of))
  }
  if (left.kind === 'wrapper' && right.kind === 'wrapper') return left.of.kind === right.of.kind
  return left.kind === right.kind && typeName(left) === typeName(right)
}
