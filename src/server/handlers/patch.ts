/**
 * PATCH of one object: the content type says which of the four kinds of patch it is. Three of them change what is
 * there; the fourth, server-side apply, says what one manager wants and creates what is missing.
 */

import { isRecord } from '../../base/is-record.ts'
import {
  ApiError,
  badRequest,
  invalid,
  unsupportedMediaType,
  unsupportedPatchType,
} from '../../machinery/meta/api-error.ts'
import { invalidValue, rootPath } from '../../machinery/meta/field-error.ts'
import { apiVersionOf } from '../../machinery/meta/group-version.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import { formatTime } from '../../machinery/meta/time.ts'
import { serverSideApply } from '../../machinery/patch/apply.ts'
import { applyJsonPatch } from '../../machinery/patch/json-patch.ts'
import { applyMergePatch } from '../../machinery/patch/merge-patch.ts'
import { goText } from '../../machinery/patch/strategic-lists.ts'
import { applyStrategicMergePatch } from '../../machinery/patch/strategic-merge.ts'
import { duplicateField } from '../../machinery/schema/decode.ts'
import { parseMediaType } from '../../machinery/wire/content-type.ts'
import { decodeJson, duplicateKeys } from '../../machinery/wire/json.ts'
import type { ApiRequest, ApiResponse } from '../../machinery/wire/message.ts'
import { decodeYaml } from '../../machinery/wire/yaml.ts'
import {
  checkedObject,
  checkName,
  decoding,
  holdsSecrets,
  inNamespace,
  jsonKind,
  REDACTED,
  trustOf,
  yamlErrors,
} from './body.ts'
import { type Exchange, keyOfTarget } from './exchange.ts'
import { type WriteParameters, writeParameters } from './options.ts'
import { objectResponse } from './respond.ts'
import type { ViewKind } from './view.ts'

export const APPLY_PATCH = 'application/apply-patch+yaml'
const JSON_PATCH = 'application/json-patch+json'
const MERGE_PATCH = 'application/merge-patch+json'
const STRATEGIC_PATCH = 'application/strategic-merge-patch+json'
const PATCH_TYPES = [JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, APPLY_PATCH]
/** Custom resources have no strategic merge: their schema does not say how. */
const CUSTOM_PATCH_TYPES = [JSON_PATCH, MERGE_PATCH, APPLY_PATCH]

export async function patch(exchange: Exchange): Promise<ApiResponse> {
  const { request, registry, target, view } = exchange
  const type = patchType(request, registry.definition.schemaStamp === undefined)
  const applies = type === APPLY_PATCH
  const parameters = writeParameters(exchange, 'PatchOptions', applies)
  const duplicates: string[] = []
  const body = applies ? appliedBody(request, duplicates) : patchBody(request, type, duplicates)
  request.audit?.sent(undefined, () => body)
  const namespace = registry.definition.scope === 'Namespaced' ? target.namespace : ''
  const changed = (seen: KubeObject | undefined): KubeObject => {
    const patched = applies
      ? applied(exchange, body, seen, parameters)
      : patchedObject(exchange, { type, body, duplicates, seen: seen ?? { metadata: {} } }, parameters)
    const object = inNamespace(patched, namespace)
    if (applies) tellDuplicates(duplicates, parameters)
    checkName(object, target.name)
    return object
  }
  const { stored, created } = await registry.update(
    keyOfTarget(exchange),
    {
      change: (live) => view.written(changed(live && view.read(live)), live),
      endpoint: view.endpoint,
      creates: applies && view.endpoint.subresource === '',
      withoutVersion: 'taken',
      fixesUid: true,
      tracked: applies && view.whole,
    },
    parameters,
  )
  return objectResponse(exchange, view.show(stored), created ? 201 : 200)
}

function patchType({ headers }: ApiRequest, builtIn: boolean): string {
  const given = headers['content-type'] ?? ''
  const accepted = builtIn ? PATCH_TYPES : CUSTOM_PATCH_TYPES
  if (accepted.includes(given)) return given
  const type = parseMediaType(given)?.type ?? ''
  if (accepted.includes(type)) return type
  // The router of built-in resources lets a list of types pass when it knows one of them.
  const isList = given.split(',').some((part) => accepted.includes(part.trim()))
  throw builtIn && !isList ? unsupportedPatchType() : unsupportedMediaType(accepted)
}

/** `duplicates` gets the texts about keys that stand twice. */
function appliedBody({ body }: ApiRequest, duplicates: string[]): unknown {
  if (body.type === 'object') return body.object
  if (body.type === 'none') throw badRequest('the body of a patch must not be empty')
  return decoding(
    () => decodeYaml(body.bytes, duplicates),
    (message) => `error decoding YAML: error converting YAML to JSON: ${message}`,
  )
}

function patchBody({ body }: ApiRequest, type: string, duplicates: string[]): unknown {
  if (body.type === 'object') return body.object
  const prefix = type === STRATEGIC_PATCH ? '' : 'error decoding patch: '
  if (body.type === 'none') throw badRequest(`${prefix}unexpected end of JSON input`)
  const said = (message: string): string => `${prefix}${message}`
  const value = decoding(() => decodeJson(body.bytes), said)
  if (type === MERGE_PATCH && !isRecord(value))
    throw badRequest(said(`json: cannot unmarshal ${jsonKind(value)} into Go value of type map[string]interface {}`))
  duplicates.push(...duplicateKeys(body.bytes, value).map(duplicateField))
  return value
}

/** What is applied has been read and merged by then: a key that is there twice is the last thing that is found. */
function tellDuplicates(duplicates: string[], { fieldValidation, warn }: WriteParameters): void {
  const told = duplicates.splice(0)
  if (told.length === 0 || fieldValidation === 'Ignore') return
  if (fieldValidation === 'Strict')
    throw badRequest(`error strict decoding YAML: error converting YAML to JSON: ${yamlErrors(told)}`)
  for (const text of told) warn(text)
}

interface PatchOf {
  readonly type: string
  readonly body: unknown
  /** Texts about keys that stand twice in the body. */
  readonly duplicates: readonly string[]
  readonly seen: KubeObject
}

/** Throws 422 for a patch that makes something of another type. */
function patchedObject({ view, request }: Exchange, patchOf: PatchOf, parameters: WriteParameters): KubeObject {
  const { type, body, duplicates, seen } = patchOf
  const result = mergedValue(patchOf, view.kind.schema)
  try {
    const withDuplicates = (unknown: readonly string[]) => [...duplicates, ...unknown]
    return checkedObject(result, { kind: view.kind, known: seen, ...parameters }, trustOf(request), withDuplicates)
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== 400) throw error
    const shown = holdsSecrets(view.kind) ? REDACTED : type === STRATEGIC_PATCH ? goText(body) : JSON.stringify(result)
    const detail = error.message.replace(/^\S+ in version "\S+" cannot be handled as a \S+: /, '')
    throw invalid({ group: '', kind: '' }, '', [invalidValue(rootPath.child('patch'), shown, detail)])
  }
}

function mergedValue({ type, body, seen }: PatchOf, schema: Exchange['view']['kind']['schema']): unknown {
  if (type === JSON_PATCH) return applyJsonPatch(seen, body)
  return type === MERGE_PATCH ? applyMergePatch(seen, body) : applyStrategicMergePatch(seen, body, schema)
}

/** Unlike other bodies, what is applied must say what it is. */
function checkNamesKind(body: unknown, expected: ViewKind): void {
  const { apiVersion = '', kind = '' } = isRecord(body) ? body : {}
  if (apiVersion === apiVersionOf(expected) && kind === expected.kind) return
  const named = String(apiVersion)
  throw badRequest(`invalid object type: ${named.includes('/') ? named : `/${named}`}, Kind=${String(kind)}`)
}

function applied(
  { view, clock }: Exchange,
  body: unknown,
  live: KubeObject | undefined,
  parameters: WriteParameters,
): KubeObject {
  // Whether the fields fit the schema is found out where they are merged.
  checkNamesKind(body, view.kind)
  const object = checkedObject(body, { kind: view.kind, ...parameters }, 'trusted')
  if (object.metadata.managedFields !== undefined && object.metadata.managedFields.length > 0)
    throw badRequest('metadata.managedFields must be nil')
  const { schema } = view.kind
  return serverSideApply({
    live,
    applied: object,
    manager: parameters.fieldManager,
    force: parameters.force,
    apiVersion: apiVersionOf(view.kind),
    subresource: view.endpoint.subresource,
    nowText: formatTime(clock.now()),
    schema,
    resetFields: view.endpoint.resetFields,
  })
}
