/**
 * YAML bodies as JSON values, read as kubectl and the API server read them: YAML 1.1 scalars of go-yaml v2
 * (`yes` is true, `012` is ten, `1_000` is a thousand, `2026-01-01` is text), keys become strings, exactly
 * one document; of duplicate keys the last counts, and they are told. Aliases are expanded against a budget, so that no few lines become
 * gigabytes.
 */

import {
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  parseAllDocuments,
  type Scalar,
  stringify,
  type YAMLMap,
} from 'yaml'
import { setOwn } from '../../base/deep-freeze.ts'
import { DecodeError, JSON_VALUES_MAX, TooLargeError } from './json.ts'
import { readAsJson } from './json-as-yaml.ts'

/** Bytes. The parser needs about 1.5 µs per byte on the one thread that serves everybody. */
export const YAML_BYTES_MAX = 1024 * 1024

/** Levels of nesting. */
const DEPTH_MAX = 100

/** Duplicate keys that are told: the message is for a person. */
const DUPLICATES_MAX = 100

/**
 * Throws `DecodeError`. An empty document is null. `duplicates` gets a text for every key that is in a map twice:
 * `line 7: key "a" already set in map`.
 */
export function decodeYaml(bytes: Uint8Array, duplicates: string[] = []): unknown {
  if (bytes.length > YAML_BYTES_MAX) throw new TooLargeError(`yaml: document exceeds ${YAML_BYTES_MAX} bytes`)
  const json = readAsJson(bytes)
  if (json !== undefined) return json
  const text = new TextDecoder().decode(bytes)
  const document = onlyDocument(text)
  if (document === undefined) return null
  const error = document.errors[0]
  if (error) throw new DecodeError(`yaml: ${firstLine(error.message)}`)
  return toJson(document.contents, { document, text, duplicates, values: 0 }, 0)
}

function onlyDocument(text: string): Document.Parsed | undefined {
  const documents = parsed(text)
  if (documents.length > 1) throw new DecodeError('yaml: only one document is accepted')
  return documents[0]
}

/** The parser recurses into flow collections; a stack overflow is the caller's doing, not ours. */
function parsed(text: string): readonly Document.Parsed[] {
  try {
    const options = {
      schema: 'failsafe',
      merge: false,
      uniqueKeys: false,
      logLevel: 'silent',
      prettyErrors: false,
    } as const
    const documents = parseAllDocuments(text, options)
    return 'empty' in documents ? [] : documents
  } catch {
    throw new DecodeError('yaml: the document cannot be read')
  }
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? ''
}

interface Walk {
  readonly document: Document.Parsed
  readonly text: string
  readonly duplicates: string[]
  values: number
}

function toJson(node: unknown, walk: Walk, depth: number): unknown {
  if (depth > DEPTH_MAX) throw new DecodeError('yaml: exceeded max depth')
  // Each expansion of an alias counts anew.
  if (++walk.values > JSON_VALUES_MAX) throw new DecodeError('yaml: document contains excessive aliasing')
  if (isAlias(node)) {
    const target = node.resolve(walk.document)
    if (target === undefined) throw new DecodeError(`yaml: unknown anchor '${node.source}'`)
    return toJson(target, walk, depth + 1)
  }
  if (isScalar(node)) return scalarValue(node)
  if (isSeq(node)) return node.items.map((item) => toJson(item, walk, depth + 1))
  if (isMap(node)) return mapValue(node, walk, depth)
  return null
}

function mapValue(node: YAMLMap, walk: Walk, depth: number): Record<string, unknown> {
  const result: Record<string, unknown> = {}
  const merged: unknown[] = []
  for (const pair of node.items) {
    if (!isPair(pair)) continue
    if (isScalar(pair.key) && pair.key.type === 'PLAIN' && pair.key.value === '<<') merged.push(pair.value)
    else {
      const key = keyText(pair.key, walk, depth)
      if (Object.hasOwn(result, key)) tellDuplicate(key, pair.key, walk)
      setOwn(result, key, toJson(pair.value, walk, depth + 1))
    }
  }
  for (const source of merged) mergeInto(result, toJson(source, walk, depth + 1))
  return result
}

function tellDuplicate(key: string, node: unknown, { text, duplicates }: Walk): void {
  if (duplicates.length >= DUPLICATES_MAX || !isScalar(node)) return
  const line = text.slice(0, node.range?.[0] ?? 0).split('\n').length
  duplicates.push(`line ${line}: key ${JSON.stringify(key)} already set in map`)
}

/** `<<`: what the map has itself wins, and of several sources the first. */
function mergeInto(target: Record<string, unknown>, source: unknown): void {
  for (const part of Array.isArray(source) ? source : [source]) {
    if (typeof part !== 'object' || part === null || Array.isArray(part))
      throw new DecodeError('yaml: map merge requires map or sequence of maps as the value')
    for (const [key, value] of Object.entries(part)) if (!Object.hasOwn(target, key)) setOwn(target, key, value)
  }
}

function keyText(node: unknown, walk: Walk, depth: number): string {
  const key = toJson(node, walk, depth + 1)
  if (typeof key === 'string') return key
  if (typeof key === 'number' || typeof key === 'boolean') return String(key)
  throw new DecodeError('yaml: unsupported map key')
}

const NULLS = new Set(['', '~', 'null', 'Null', 'NULL'])
const TRUES = new Set(['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'])
const FALSES = new Set(['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'])
const INTEGER = /^([-+]?)(0b[01]+|0o?[0-7]*|0x[0-9a-fA-F]+|[1-9][0-9]*)$/
const FLOAT = /^[-+]?[0-9]*\.?[0-9]+(?:[eE][-+][0-9]+)?$/

function scalarValue(node: Scalar): unknown {
  const text = String(node.value ?? '')
  if (node.tag === 'tag:yaml.org,2002:str' || (node.type !== 'PLAIN' && node.type !== undefined)) return text
  return plainValue(text)
}

/** What go-yaml v2 makes of a scalar without quotes. */
export function plainValue(text: string): unknown {
  if (NULLS.has(text)) return null
  if (TRUES.has(text)) return true
  if (FALSES.has(text)) return false
  if (!/^[-+.0-9]/.test(text)) return text
  const plain = text.replaceAll('_', '')
  const integer = INTEGER.exec(plain)
  if (integer) return integerValue(integer[1] ?? '', integer[2] ?? '')
  if (FLOAT.test(plain)) return Number(plain)
  if (/^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/.test(text))
    throw new DecodeError(`json: unsupported value: ${text}`)
  return text
}

function integerValue(sign: string, digits: string): number {
  const octal = /^0o?([0-7]+)$/.exec(digits)
  const magnitude = octal ? Number.parseInt(octal[1] ?? '0', 8) : Number(digits)
  return sign === '-' && magnitude !== 0 ? -magnitude : magnitude
}

/** Block style, in which a reader of YAML 1.1 sees the same values. */
export function encodeYaml(value: unknown): Uint8Array {
  return Buffer.from(stringify(value, { aliasDuplicateObjects: false, lineWidth: 0, version: '1.1' }))
}
