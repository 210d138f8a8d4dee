/**
 * Bodies of requests as objects of the kind that is expected: decoded from JSON or YAML, their kind, version, name
 * and namespace compared with the path, and unknown fields ignored, warned of or refused as the caller wants.
 */

import { decodeProtobuf, isBuiltInKind, PROTOBUF_TYPE } from '../../apis/protobuf-forms.ts'
import { isRecord } from '../../base/is-record.ts'
import { badRequest, requestEntityTooLarge, unsupportedMediaType } from '../../machinery/meta/api-error.ts'
import { apiVersionOf } from '../../machinery/meta/group-version.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import { canonical } from '../../machinery/schema/canonical.ts'
import {
  cannotBeHandled,
  checkFields,
  duplicateField,
  FieldTypeError,
  strictDecodingError,
  unknownField,
} from '../../machinery/schema/decode.ts'
import { parseMediaType } from '../../machinery/wire/content-type.ts'
import { DecodeError, decodeJson, duplicateKeys, TooLargeError, visitKeys } from '../../machinery/wire/json.ts'
import type { ApiRequest } from '../../machinery/wire/message.ts'
import { decodeYaml } from '../../machinery/wire/yaml.ts'
import type { FieldValidation } from './options.ts'
import type { ViewKind } from './view.ts'

const ACCEPTED_TYPES = ['application/json', 'application/yaml', PROTOBUF_TYPE]

export interface Expectation {
  readonly kind: ViewKind
  readonly fieldValidation: FieldValidation
  /** What the body was made of: parts that it shares with it fit. */
  readonly known?: KubeObject | undefined
  warn(text: string): void
}

/** A body of the expected kind; `kind` and `apiVersion` may be missing in it and are there in the result. */
export function objectOfBody(request: ApiRequest, expected: Expectation): KubeObject {
  const seen: { json?: Uint8Array } = {}
  const lines: string[] = []
  const inspection = { json: (bytes: Uint8Array) => Object.assign(seen, { json: bytes }), yamlDuplicates: lines }
  const body = decoding(
    () => identified(decodeBody(request, inspection)),
    (message) => unrecognized(request, expected.kind, message),
  )
  const strict = expected.fieldValidation === 'Strict' && lines.length > 0
  const ofYaml = strict ? [yamlErrors(lines)] : lines
  const { definition } = expected.kind.schema
  return checkedObject(body, expected, trustOf(request), (unknown) =>
    seen.json ? jsonProblems(seen.json, body, { unknown, builtIn: definition !== undefined }) : [...ofYaml, ...unknown],
  )
}

/**
 * What strict validation finds in a document. Built-in types are read in one go, so that both kinds of problems come as
 * they stand in the text; custom objects are read first, which finds duplicates, and then compared with their schema.
 */
function jsonProblems(
  bytes: Uint8Array,
  body: unknown,
  { unknown, builtIn }: { readonly unknown: readonly string[]; readonly builtIn: boolean },
): readonly string[] {
  const duplicates = duplicateKeys(bytes, body).map(duplicateField)
  if (duplicates.length === 0 || unknown.length === 0 || !builtIn) return [...duplicates, ...unknown]
  const left = new Set([...duplicates, ...unknown])
  const ordered: string[] = []
  visitKeys(bytes, (path, isAgain) => {
    const text = isAgain ? duplicateField(path()) : unknownField(path())
    if (left.delete(text)) ordered.push(text)
    return left.size > 0
  })
  return [...ordered, ...left]
}

/** Several findings about a YAML document as upstream's decoder says them. */
export function yamlErrors(lines: readonly string[]): string {
  return ['yaml: unmarshal errors:', ...lines].join('\n  ')
}

/** A body that is acted on and not stored, in form: nulls and zero values of optional fields are absent. */
export function messageOfBody(request: ApiRequest, expected: Expectation): KubeObject {
  return canonical(objectOfBody(request, expected), expected.kind.schema)
}

export type Trust = 'trusted' | 'checked'

/** Objects come from this process, whose types have been checked; bytes from anybody. */
export function trustOf({ body }: ApiRequest): Trust {
  return body.type === 'object' ? 'trusted' : 'checked'
}

/** A JSON value as an object of the expected kind. Throws 400 for wrong kinds, types and, if strict, unknown fields. */
export function checkedObject(
  given: unknown,
  { kind, fieldValidation, known, warn }: Expectation,
  trust: Trust,
  withOthers = (unknown: readonly string[]): readonly string[] => unknown,
): KubeObject {
  const body = decoding(() => identified(given))
  checkKind(body, kind)
  if (trust === 'checked') {
    const all = withOthers(fieldProblems(body, kind, { ignored: fieldValidation === 'Ignore', known }))
    if (fieldValidation === 'Strict' && all.length > 0)
      throw badRequest(cannotBeHandled(kind.kind, kind.version, strictDecodingError(all)))
    if (fieldValidation === 'Warn') for (const problem of all) warn(problem)
  }
  const metadata = isRecord(body.metadata) ? body.metadata : {}
  return { ...body, kind: kind.kind, apiVersion: apiVersionOf(kind), metadata }
}

/** Decoders look for version and kind first. Throws `DecodeError` for what cannot have them; a null has nothing. */
function identified(value: unknown): Readonly<Record<string, unknown>> {
  if (value === null) return {}
  if (!isRecord(value)) throw new DecodeError(`${NO_VERSION}json: cannot unmarshal ${jsonKind(value)} into ${IDENTITY}`)
  const { apiVersion } = value
  if (typeof apiVersion === 'string' && apiVersion.split('/').length > 2)
    throw new DecodeError(`unexpected GroupVersion string: ${apiVersion}`)
  return value
}

const NO_VERSION = "couldn't get version/kind; json parse error: "
/** How upstream's decoder names what it reads a version and a kind into. */
const IDENTITY =
  'Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'

/** The name of a JSON value's type in messages. */
export function jsonKind(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  return value === null ? 'null' : typeof value === 'boolean' ? 'bool' : typeof value
}

/** Bytes of a body that a refusal shows. */
const SHOWN_BYTES_MAX = 30

/** The refusal of a body that cannot be read, with its beginning: JSON as it is, anything else in hexadecimal. */
function unrecognized({ body }: ApiRequest, view: ViewKind, message: string): string {
  return `the object provided is unrecognized (must be of type ${view.kind}): ${message} (${beginning(body, view)})`
}

function beginning(body: ApiRequest['body'], view: ViewKind): string {
  const bytes = Buffer.from(body.type === 'bytes' ? body.bytes : [])
  if (bytes.length > 0 && holdsSecrets(view)) return REDACTED
  const encoding = bytes[0] === 0x7b ? 'utf8' : 'hex'
  const more = bytes.length > SHOWN_BYTES_MAX ? ' ...' : ''
  return bytes.length === 0 ? '<empty>' : `${bytes.toString(encoding, 0, SHOWN_BYTES_MAX)}${more}`
}

/** What a refusal shows in place of what somebody sent: it goes to the audit log too. */
export const REDACTED = '<secret contents redacted>'

/** Refusals show what they are about, as upstream's, but not of Secrets, as upstream's do. */
export function holdsSecrets({ group, kind }: ViewKind): boolean {
  return group === '' && kind === 'Secret'
}

/** Unknown fields. Throws 400 for values of the wrong type. */
export function fieldProblems(
  body: object,
  { kind, version, schema }: Pick<ViewKind, 'kind' | 'version' | 'schema'>,
  { ignored, known }: { readonly ignored: boolean; readonly known?: KubeObject | undefined },
): readonly string[] {
  try {
    // A stored custom object may be older than its schema.
    const problems = checkFields(body, schema, schema.definition === undefined ? undefined : known)
    return ignored ? [] : problems
  } catch (error) {
    if (error instanceof FieldTypeError) throw badRequest(cannotBeHandled(kind, version, error.message))
    throw error
  }
}

function checkKind(body: Readonly<Record<string, unknown>>, expected: ViewKind): void {
  const wanted = apiVersionOf(expected)
  const apiVersion = textOr(body.apiVersion, wanted)
  const kind = textOr(body.kind, expected.kind)
  if (apiVersion === wanted && kind === expected.kind) return
  const version = apiVersion.slice(apiVersion.lastIndexOf('/') + 1)
  const refuse = (detail: string) =>
    badRequest(`${kind} in version ${JSON.stringify(version)} cannot be handled as a ${expected.kind}: ${detail}`)
  if (expected.schema.definition !== undefined && !isBuiltInKind(apiVersion, kind))
    throw refuse(notRegistered(apiVersion, kind))
  if (kind === expected.kind)
    throw badRequest(`the API version in the data (${apiVersion}) does not match the expected API version (${wanted})`)
  throw refuse(`converting (${version}.${kind}) to (${expected.version}.${expected.kind}): unknown conversion`)
}

/** Upstream's own types are in one table, which it names by the line of its source. */
export function notRegistered(apiVersion: string, kind: string): string {
  const [kindText, versionText] = [JSON.stringify(kind), JSON.stringify(apiVersion)]
  return `no kind ${kindText} is registered for version ${versionText} in scheme "pkg/runtime/scheme.go:111"`
}

function textOr(value: unknown, absent: string): string {
  return typeof value === 'string' && value !== '' ? value : absent
}

interface Inspection {
  /** Sees JSON bytes once they are known to be valid. */
  json(bytes: Uint8Array): void
  /** Gets the texts about duplicate keys in YAML. */
  readonly yamlDuplicates: string[]
}

/** Any JSON value. Throws `DecodeError`, for no body as well. */
export function decodeBody({ body, headers }: ApiRequest, inspection?: Inspection): unknown {
  if (body.type === 'object') return body.object
  if (body.type === 'none') throw new DecodeError(`${NO_VERSION}unexpected end of JSON input`)
  const media = parseMediaType(headers['content-type'] || 'application/json')
  if (!media || !ACCEPTED_TYPES.includes(media.type)) throw unsupportedMediaType(ACCEPTED_TYPES)
  if (media.type === 'application/yaml') return decodeYaml(body.bytes, inspection?.yamlDuplicates)
  if (media.type === PROTOBUF_TYPE) return decodeProtobuf(body.bytes)
  const value = jsonOf(body.bytes)
  inspection?.json(body.bytes)
  return value
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return decodeJson(bytes)
  } catch (error) {
    if (!(error instanceof DecodeError) || error instanceof TooLargeError) throw error
    throw new DecodeError(`${NO_VERSION}${error.message}`)
  }
}

/** Decoding whose failures are the caller's: 400, with what `said` makes of the decoder's message. */
export function decoding<T>(decode: () => T, said = (message: string): string => message): T {
  try {
    return decode()
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    if (error instanceof TooLargeError) throw requestEntityTooLarge(error.message)
    throw badRequest(said(error.message))
  }
}

/** The object in the namespace of the request. Throws 400 when it says another one. */
export function inNamespace<T extends KubeObject>(object: T, namespace: string): T {
  const { namespace: own = '' } = object.metadata
  if (own === namespace) return object
  if (own !== '' && namespace !== '')
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  if (namespace !== '') return { ...object, metadata: { ...object.metadata, namespace } }
  const { namespace: _, ...metadata } = object.metadata
  return { ...object, metadata }
}

/** Throws 400 when the object is not the one that the path names. */
export function checkName({ metadata }: KubeObject, name: string): void {
  if (!metadata.name)
    throw badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`)
  if (metadata.name !== name)
    throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`)
}
