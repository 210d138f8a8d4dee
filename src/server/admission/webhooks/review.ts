/** AdmissionReview: what a webhook is told of a request, and what its answer means. Pure. */

import type { ResourceDefinition } from '../../../apis/definition.ts'
import { scaleObject } from '../../../apis/scale-object.ts'
import { isRecord } from '../../../base/is-record.ts'
import { ApiError, type Status } from '../../../machinery/meta/api-error.ts'
import { parseApiVersion } from '../../../machinery/meta/group-version.ts'
import type { KubeObject } from '../../../machinery/meta/object.ts'
import type { AdmissionAttributes } from '../../registry/admission-hooks.ts'

/** Versions that this server speaks, as `admissionReviewVersions` may name them. */
const VERSIONS = ['v1', 'v1beta1'] as const
export type ReviewVersion = (typeof VERSIONS)[number]

/** The first version of a webhook's list that this server speaks. */
export function reviewVersion(accepted: readonly string[]): ReviewVersion | undefined {
  return accepted.flatMap((version) => VERSIONS.find((known) => known === version) ?? [])[0]
}

export interface ReviewSubject {
  readonly attributes: AdmissionAttributes
  /** In whose terms the webhook is asked. */
  readonly definition: ResourceDefinition
  /** In the form of `definition`. */
  readonly object: KubeObject | undefined
  readonly previous: KubeObject | undefined
}

export function admissionReview(version: ReviewVersion, uid: string, subject: ReviewSubject): object {
  const { attributes, definition } = subject
  const { operation, subresource, name, user, dryRun } = attributes
  const asked = attributes.definition
  const namespace = namespaceOf(attributes)
  return {
    kind: 'AdmissionReview',
    apiVersion: `admission.k8s.io/${version}`,
    request: {
      uid,
      kind: kindOf(subject.object ?? subject.previous, definition, subresource),
      resource: resourceOf(definition),
      ...(subresource === '' ? {} : { subResource: subresource, requestSubResource: subresource }),
      requestKind: kindOf(attributes.object ?? attributes.previous, asked, subresource),
      requestResource: resourceOf(asked),
      ...(name === '' ? {} : { name }),
      ...(namespace === '' ? {} : { namespace }),
      operation,
      userInfo: {
        username: user.name,
        ...(user.uid ? { uid: user.uid } : {}),
        groups: user.groups,
        ...(user.extra === undefined ? {} : { extra: user.extra }),
      },
      object: shownObject(subject.object, operation),
      oldObject: shownObject(subject.previous, operation),
      dryRun,
      options: optionsOf(attributes),
    },
  }
}

/** A namespace is in itself. */
function namespaceOf({ definition: { group, resource }, namespace, name }: AdmissionAttributes): string {
  return group === '' && resource === 'namespaces' ? name : namespace
}

function resourceOf({ group, version, resource }: ResourceDefinition) {
  return { group, version, resource }
}

/** Parts of a resource may take objects of kinds of their own. */
function kindOf(object: KubeObject | undefined, { group, version, kind }: ResourceDefinition, subresource: string) {
  const own = subresource === '' ? undefined : object
  const parsed = own?.apiVersion === undefined ? undefined : parseApiVersion(own.apiVersion)
  return parsed === undefined || own?.kind === undefined ? { group, version, kind } : { ...parsed, kind: own.kind }
}

/** The options of a connection have no metadata. */
function shownObject(object: KubeObject | undefined, operation: string): object | null {
  if (object === undefined) return null
  if (operation !== 'CONNECT') return object
  const { metadata: _metadata, ...options } = object
  return options
}

/** A patch is an update, or a creation, by other means. */
function optionsOf({ operation, options }: AdmissionAttributes): object | null {
  if (options.kind === undefined) return null
  if (options.kind !== 'PatchOptions') return options
  const { force: _force, ...others } = options
  return { ...others, kind: operation === 'CREATE' ? 'CreateOptions' : 'UpdateOptions' }
}

/** The object as admission sees it through a subresource: through `scale`, a Scale. */
export function seenThrough(
  { subresource }: Pick<AdmissionAttributes, 'subresource'>,
  { scale }: ResourceDefinition,
  object: KubeObject | undefined,
): KubeObject | undefined {
  return subresource === 'scale' && scale !== undefined && object !== undefined ? scaleObject(object, scale) : object
}

/** What a webhook answered, once it is known to be an answer. */
export interface ReviewAnswer {
  readonly allowed: boolean
  /** A JSON patch, as JSON. Undefined: nothing is to be changed. */
  readonly patch: unknown
  readonly result: Partial<Status> | undefined
  readonly warnings: readonly string[]
  /** Facts for the audit log, by names that are the webhook's own. */
  readonly annotations: readonly (readonly [string, string])[]
}

/** Bytes of all warnings of one answer, and the characters of one, that are passed on. */
const WARNINGS_MAX = 64

/** Throws an error whose message says what is wrong with the answer. */
export function readReview(version: ReviewVersion, uid: string, mutating: boolean, review: unknown): ReviewAnswer {
  const { kind, apiVersion, response } = recordOf(review)
  if (!isRecord(response)) throw new Error('webhook response was absent')
  if (version === 'v1') {
    if (response.uid !== uid)
      throw new Error(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response.uid ?? '')}`)
    if (kind !== 'AdmissionReview' || apiVersion !== 'admission.k8s.io/v1')
      throw new Error(
        'expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got ' +
          `${text(apiVersion)}, Kind=${text(kind)}`,
      )
    checkPatchType(response, mutating)
  }
  const { warnings } = response
  return {
    allowed: response.allowed === true,
    patch: mutating && text(response.patch) !== '' ? decodedPatch(text(response.patch)) : undefined,
    result: isRecord(response.status) ? (response.status as Partial<Status>) : undefined,
    annotations: annotationsOf(response.auditAnnotations),
    warnings: Array.isArray(warnings) ? warnings.filter(isText).slice(0, WARNINGS_MAX) : [],
  }
}

function checkPatchType({ patch, patchType }: Readonly<Record<string, unknown>>, mutating: boolean): void {
  const hasPatch = text(patch) !== ''
  const hasType = patchType !== undefined && patchType !== null
  if (!mutating) {
    if (hasPatch) throw new Error('validating webhook may not return response.patch')
    if (hasType) throw new Error('validating webhook may not return response.patchType')
    return
  }
  if (hasPatch && !hasType) throw new Error('webhook returned response.patch but not response.patchType')
  if (!hasPatch && hasType) throw new Error('webhook returned response.patchType but not response.patch')
  if (patchType === '') throw new Error('webhook returned invalid response.patchType of ""')
  if (hasType && patchType !== 'JSONPatch') throw new UnsupportedPatch(text(patchType))
}

/** Upstream finds this one where it applies the patch. */
export class UnsupportedPatch extends Error {
  constructor(type: string) {
    super(`unsupported patch type ${JSON.stringify(type)}`)
  }
}

/** What is to be done to the object is no JSON. */
export class UndecodablePatch extends Error {}

function decodedPatch(base64: string): unknown {
  try {
    return JSON.parse(Buffer.from(base64, 'base64').toString('utf8'))
  } catch {
    throw new UndecodablePatch('invalid JSON')
  }
}

/** Facts for the audit log that are taken of one answer. */
const ANNOTATIONS_MAX = 64

function annotationsOf(given: unknown): readonly (readonly [string, string])[] {
  const entries = isRecord(given) ? Object.entries(given).slice(0, ANNOTATIONS_MAX) : []
  return entries.flatMap(([name, value]) => (typeof value === 'string' ? [[name, value] as const] : []))
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function text(value: unknown): string {
  return isText(value) ? value : ''
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : {}
}

/** 4xx of the webhook's own choice, with its words behind its name. */
export function rejection(name: string, result: Partial<Status> = {}): ApiError {
  const denied = `admission webhook ${JSON.stringify(name)} denied the request`
  const { code, details } = result
  const message = text(result.message)
  const reason = text(result.reason)
  const explained = message !== '' ? `: ${message}` : reason !== '' ? `: ${reason}` : ' without explanation'
  return new ApiError(refusalCode(code), reason, `${denied}${explained}`, isRecord(details) ? details : undefined)
}

/** The webhook's own code, where that is a failure. */
function refusalCode(code: unknown): number {
  return typeof code === 'number' && Number.isInteger(code) && code >= 400 && code < 600 ? code : 400
}
