/** The official cases of the language, read into what the tests here run: values, types and outcomes of ours. */

import {
  getConformanceSuite,
  getParsingSuite,
  type IncrementalTest,
  type IncrementalTestSuite,
} from '@bufbuild/cel-spec/testdata/tests.js'
import type { FunctionDeclaration, Library } from './declarations.ts'
import {
  ANY,
  BOOL,
  BYTES,
  type CelType,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  listType,
  mapType,
  NULL,
  opaqueType,
  type SimpleType,
  STRING,
  TIMESTAMP,
  typeParameter,
  typeType,
  UINT,
  wrapperType,
} from './types.ts'
import { ArrayList, type CelValue, EntryMap, type MapKey, mapKey, TypeValue, Uint } from './values.ts'

type Original = IncrementalTest['original']
type ProtoValue = NonNullable<Extract<Original['resultMatcher'], { case: 'value' }>['value']>
type ProtoType = NonNullable<Extract<Original['resultMatcher'], { case: 'typedResult' }>['value']['deducedType']>

export interface OfficialCase {
  /** `file/section/name`. */
  readonly name: string
  readonly original: Original
  /** What cel-go says of the expression without any library, when it refuses it. */
  readonly error: string | undefined
}

/** Every case of the suite. */
export function officialCases(): readonly OfficialCase[] {
  return casesOf(getConformanceSuite(), [])
}

function casesOf({ name, suites, tests }: IncrementalTestSuite, trail: readonly string[]): readonly OfficialCase[] {
  const path = [...trail, name]
  const own = tests.map(({ name: own, original, error }) => ({
    name: [...path.slice(1), own].join('/'),
    original,
    error: error && withoutDescription(error.trim(), own),
  }))
  return [...own, ...suites.flatMap((suite) => casesOf(suite, path))]
}

/** Expressions that are refused, with cel-go's words. */
export function refusedCases(): readonly OfficialCase[] {
  const all = [...casesOf(getParsingSuite(), []), ...officialCases()]
  return all.filter(({ error }) => error !== undefined)
}

/** Cases name their source after themselves. */
function withoutDescription(text: string, name: string): string {
  return text.replaceAll(`ERROR: ${name}:`, 'ERROR: <input>:').replaceAll('ERROR: :', 'ERROR: <input>:')
}

/** A case that uses what is left out here, with the reason. */
export class Unsupported extends Error {}

export function officialValue({ kind }: ProtoValue): CelValue {
  switch (kind.case) {
    case 'nullValue':
      return null
    case 'boolValue':
    case 'int64Value':
    case 'doubleValue':
    case 'stringValue':
    case 'bytesValue':
      return kind.value
    case 'uint64Value':
      return new Uint(kind.value)
    case 'listValue':
      return new ArrayList(kind.value.values.map(officialValue))
    case 'mapValue':
      return mapOf(
        kind.value.entries.map(({ key, value }) => [key && officialValue(key), value && officialValue(value)]),
      )
    case 'typeValue':
      return new TypeValue(namedType(kind.value))
    default:
      throw new Unsupported(`values of kind ${kind.case}`)
  }
}

function mapOf(pairs: readonly (readonly [CelValue | undefined, CelValue | undefined])[]): EntryMap {
  const entries = new Map<MapKey, readonly [CelValue, CelValue]>()
  for (const [key = null, value = null] of pairs) {
    const plain = mapKey(key)
    if (plain !== undefined) entries.set(plain, [key, value])
  }
  return new EntryMap(entries)
}

const NAMED_TYPES: Readonly<Record<string, CelType>> = {
  bool: BOOL,
  bytes: BYTES,
  double: DOUBLE,
  int: INT,
  uint: UINT,
  string: STRING,
  null_type: NULL,
  type: typeType(DYN),
  list: listType(DYN),
  map: mapType(DYN, DYN),
  'google.protobuf.Timestamp': TIMESTAMP,
  'google.protobuf.Duration': DURATION,
}

function namedType(name: string): CelType {
  const type = NAMED_TYPES[name]
  if (type === undefined) throw new Unsupported(`type ${name}`)
  return type
}

/** By the numbers of the protobuf enum. */
const PRIMITIVES: readonly SimpleType[] = [DYN, BOOL, INT, UINT, DOUBLE, STRING, BYTES]
const WELL_KNOWN: readonly SimpleType[] = [DYN, ANY, TIMESTAMP, DURATION]

export function typeOf(type: ProtoType | undefined): CelType {
  const kind = type?.typeKind
  switch (kind?.case) {
    case 'dyn':
      return DYN
    case 'null':
      return NULL
    case 'primitive':
      return PRIMITIVES[kind.value] ?? DYN
    case 'wrapper':
      return wrapperType(PRIMITIVES[kind.value] ?? DYN)
    case 'wellKnown':
      return WELL_KNOWN[kind.value] ?? DYN
    case 'listType':
      return listType(typeOf(kind.value.elemType))
    case 'mapType':
      return mapType(typeOf(kind.value.keyType), typeOf(kind.value.valueType))
    case 'type':
      return typeType(typeOf(kind.value))
    case 'abstractType':
      return opaqueType(kind.value.name, ...kind.value.parameterTypes.map(typeOf))
    case 'typeParam':
      return typeParameter(kind.value)
    case 'messageType':
      return namedType(kind.value)
    default:
      throw new Unsupported(`declared type ${kind?.case}`)
  }
}

/** The types of a case's variables. */
export function variablesOf({ typeEnv }: Original): Record<string, CelType> {
  const variables: [string, CelType][] = []
  for (const { name, declKind } of typeEnv) {
    if (declKind.case === 'ident') variables.push([name, typeOf(declKind.value.type)])
  }
  return Object.fromEntries(variables)
}

/** The functions a case declares, which are only checked. */
export function functionsOf({ typeEnv }: Original): Library {
  const functions: FunctionDeclaration[] = []
  for (const { name, declKind } of typeEnv) {
    if (declKind.case !== 'function') continue
    const overloads = declKind.value.overloads.map(({ overloadId, params, resultType, isInstanceFunction }) => ({
      id: overloadId,
      parameters: params.map(typeOf),
      result: typeOf(resultType),
      member: isInstanceFunction,
    }))
    functions.push({ name, overloads })
  }
  return { name: 'declared by the case', functions }
}

/** The values of a case's variables. */
export function bindingsOf({ bindings }: Original): ReadonlyMap<string, CelValue> {
  const values = new Map<string, CelValue>()
  for (const [name, { kind }] of Object.entries(bindings)) {
    if (kind.case !== 'value') throw new Unsupported('bindings without a value')
    values.set(name, officialValue(kind.value))
  }
  return values
}
