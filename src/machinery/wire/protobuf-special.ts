/** Messages whose JSON form is another than their fields: times, quantities, numbers that may be texts, raw JSON. */

import type { BackwardsWriter } from './protobuf-writer.ts'

type ContentWriter = (writer: BackwardsWriter, value: unknown) => void
/** Finds the writer of another message. */
type Lookup = (message: string) => ContentWriter

const JSON_SCHEMA = 'apiextensions.v1.JSONSchemaProps'

/** Message → the writer of its content. Fields are written last first. */
export const SPECIAL_MESSAGES: ReadonlyMap<string, (lookup: Lookup) => ContentWriter> = new Map([
  ['meta.v1.Time', () => writeTime],
  ['meta.v1.MicroTime', () => writeTime],
  ['resource#.Quantity', () => (writer, value) => writer.text(1, textOf(value, '0'))],
  ['intstr#.IntOrString', () => writeIntOrString],
  ['runtime#.RawExtension', () => writeRaw],
  ['apiextensions.v1.JSON', () => writeRaw],
  ['meta.v1.FieldsV1', () => writeFields],
  ['meta.v1.Verbs', () => writeTexts(1)],
  ['authentication.v1.ExtraValue', () => writeTexts(1)],
  ['authorization.v1.ExtraValue', () => writeTexts(1)],
  ['certificates.v1.ExtraValue', () => writeTexts(1)],
  ['apiextensions.v1.JSONSchemaPropsOrBool', schemaOrBoolean],
  ['apiextensions.v1.JSONSchemaPropsOrArray', schemaOrSchemas],
  ['apiextensions.v1.JSONSchemaPropsOrStringArray', schemaOrTexts],
] as const satisfies readonly (readonly [string, (lookup: Lookup) => ContentWriter])[])

function textOf(value: unknown, absent: string): string {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : absent
}

interface Moment {
  readonly text: string
  readonly seconds: number
  readonly nanoseconds: number
}

/** What was written last: objects that were made one after the other say the same times. */
let lastMoment: Moment = { text: '', seconds: Number.NaN, nanoseconds: 0 }

/** RFC 3339 with or without a fraction; nothing for null. */
function writeTime(writer: BackwardsWriter, value: unknown): void {
  if (typeof value !== 'string') return
  if (value !== lastMoment.text) lastMoment = momentOf(value)
  const { seconds, nanoseconds } = lastMoment
  if (Number.isNaN(seconds)) return
  writer.scalar(2, 'int32', nanoseconds)
  writer.scalar(1, 'int64', seconds)
}

function momentOf(text: string): Moment {
  const fraction = /\.(\d+)/.exec(text)?.[1] ?? ''
  return {
    text,
    seconds: Math.floor(Date.parse(text) / 1000),
    nanoseconds: Number(fraction.padEnd(9, '0').slice(0, 9)),
  }
}

function writeIntOrString(writer: BackwardsWriter, value: unknown): void {
  const isText = typeof value === 'string'
  writer.text(3, isText ? value : '')
  writer.scalar(2, 'int32', isText ? 0 : value)
  writer.scalar(1, 'int64', isText ? 1 : 0)
}

function writeRaw(writer: BackwardsWriter, value: unknown): void {
  if (value !== undefined && value !== null) writer.text(1, JSON.stringify(value))
}

/** Sets of fields that are kept with their bytes: the creators of some families own the same ones. */
const KEPT_SETS_MAX = 8

interface KeptSet {
  readonly value: unknown
  readonly bytes: Uint8Array
}

const keptSets: KeptSet[] = []
let nextKeptSet = 0

/** What is frozen is what it was when it was written before. */
function writeFields(writer: BackwardsWriter, value: unknown): void {
  if (!Object.isFrozen(value) || value === null || typeof value !== 'object') {
    writeRaw(writer, value)
    return
  }
  let kept = keptSets.find((one) => one.value === value)
  if (kept === undefined) {
    kept = { value, bytes: Buffer.from(JSON.stringify(value)) }
    keptSets[nextKeptSet] = kept
    nextKeptSet = (nextKeptSet + 1) % KEPT_SETS_MAX
  }
  writer.field(1, kept.bytes)
}

function writeTexts(number: number): ContentWriter {
  return (writer, value) => {
    if (!Array.isArray(value)) return
    for (let index = value.length - 1; index >= 0; index--) writer.text(number, textOf(value[index], ''))
  }
}

function writeMessage(writer: BackwardsWriter, number: number, content: ContentWriter, value: unknown): void {
  const end = writer.position
  content(writer, value)
  writer.head(number, end)
}

function schemaOrBoolean(lookup: Lookup): ContentWriter {
  return (writer, value) => {
    const isBoolean = typeof value === 'boolean'
    if (!isBoolean) writeMessage(writer, 2, lookup(JSON_SCHEMA), value)
    writer.scalar(1, 'bool', isBoolean ? value : true)
  }
}

function schemaOrSchemas(lookup: Lookup): ContentWriter {
  return (writer, value) => {
    if (!Array.isArray(value)) return writeMessage(writer, 1, lookup(JSON_SCHEMA), value)
    for (let index = value.length - 1; index >= 0; index--) writeMessage(writer, 2, lookup(JSON_SCHEMA), value[index])
  }
}

function schemaOrTexts(lookup: Lookup): ContentWriter {
  return (writer, value) => {
    if (Array.isArray(value)) writeTexts(2)(writer, value)
    else writeMessage(writer, 1, lookup(JSON_SCHEMA), value)
  }
}
