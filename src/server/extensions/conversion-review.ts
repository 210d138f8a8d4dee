/**
 * Objects converted to another version by the webhook of their definition. The webhook may change everything but what
 * identifies an object; of the metadata only its labels and annotations are taken.
 */

import type { CustomResourceDefinition } from '../../apis/apiextensions/types.gen.ts'
import { messageOf } from '../../base/error-text.ts'
import { isRecord } from '../../base/is-record.ts'
import { type Random, randomUuid } from '../../base/random.ts'
import { ApiError } from '../../machinery/meta/api-error.ts'
import type { KubeObject, ObjectMeta } from '../../machinery/meta/object.ts'
import type { WebhookClient } from '../admission/webhooks/webhook-client.ts'

/** How long a webhook may take, in ms; upstream's. */
const TIMEOUT_MS = 30_000

/** Objects in one review: what a webhook converts in a fraction of its time. */
const BATCH_OBJECTS_MAX = 500

const REVIEW_VERSIONS = ['v1', 'v1beta1']

export interface ConversionParts {
  readonly webhooks: WebhookClient
  readonly random: Random
}

/** In the order of `objects`; those of the wanted version stay as they are. Throws `ApiError` in upstream's words. */
export async function convertObjects(
  parts: ConversionParts,
  crd: CustomResourceDefinition,
  objects: readonly KubeObject[],
  apiVersion: string,
): Promise<readonly KubeObject[]> {
  const others = objects.filter((object) => object.apiVersion !== apiVersion)
  const converted: KubeObject[] = []
  for (let start = 0; start < others.length; start += BATCH_OBJECTS_MAX) {
    const batch = others.slice(start, start + BATCH_OBJECTS_MAX)
    converted.push(...(await converting(parts, crd, batch, apiVersion)))
  }
  const results = converted.values()
  return objects.map((object) => (object.apiVersion === apiVersion ? object : (results.next().value ?? object)))
}

async function converting(
  { webhooks, random }: ConversionParts,
  { spec }: CustomResourceDefinition,
  objects: readonly KubeObject[],
  apiVersion: string,
): Promise<readonly KubeObject[]> {
  const { webhook } = spec.conversion ?? {}
  const fail = (text: string): never => {
    throw new ApiError(500, 'InternalError', `conversion webhook for ${kindText(objects[0])} ${text}`)
  }
  const version = (webhook?.conversionReviewVersions ?? []).find((one) => REVIEW_VERSIONS.includes(one))
  if (version === undefined) throw new ApiError(500, 'InternalError', 'no supported conversion review versions')
  const uid = randomUuid(random)
  const names = { kind: 'ConversionReview', apiVersion: `apiextensions.k8s.io/${version}` }
  const review = { ...names, request: { uid, desiredAPIVersion: apiVersion, objects } }
  const answer = await webhooks
    .call(webhook?.clientConfig ?? {}, review, { timeoutMs: TIMEOUT_MS })
    .catch((error: unknown) => fail(`failed: ${messageOf(error)}`))
  const converted = convertedIn(answer, { uid, version })
  if (typeof converted === 'string') return fail(`failed: ${converted}`)
  if (converted.length !== objects.length)
    return fail(`returned ${converted.length} objects, expected ${objects.length}`)
  return objects.map((object, index) => {
    const checked = checkedResult(object, converted[index], apiVersion)
    return 'fault' in checked ? fail(faultText(checked, index, objects.length)) : checked
  })
}

/** `group/version, Kind=Kind`. */
function kindText(object: KubeObject | undefined): string {
  return `${object?.apiVersion ?? ''}, Kind=${object?.kind ?? ''}`
}

/** What is wrong with the answer, or what it brings. */
function convertedIn(
  answer: unknown,
  { uid, version }: { readonly uid: string; readonly version: string },
): readonly unknown[] | string {
  if (!isRecord(answer)) return 'no response provided'
  const { kind = '', apiVersion = '', response } = answer
  if (version === 'v1' && (kind !== 'ConversionReview' || apiVersion !== 'apiextensions.k8s.io/v1')) {
    const wanted = 'apiextensions.k8s.io/v1, Kind=ConversionReview'
    return `expected webhook response of ${wanted}, got ${String(apiVersion)}, Kind=${String(kind)}`
  }
  if (!isRecord(response)) return 'no response provided'
  if (version === 'v1' && response.uid !== uid) {
    return `expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response.uid ?? '')}`
  }
  const result = isRecord(response.result) ? response.result : {}
  if (result.status !== 'Success') {
    if (typeof result.message === 'string' && result.message !== '') return result.message
    return `response.result.status was '${String(result.status ?? '')}', not 'Success'`
  }
  return Array.isArray(response.convertedObjects) ? response.convertedObjects : []
}

/** What is wrong with one converted object. */
interface Fault {
  readonly fault: 'type' | 'identity' | 'metadata'
  readonly detail: string
}

function faultText({ fault, detail }: Fault, index: number, count: number): string {
  if (count > 1) {
    const what = fault === 'metadata' ? 'metadata in object' : 'converted object'
    return `returned invalid ${what} at index ${index}: ${detail}`
  }
  const what = { type: 'object at index 0', identity: 'object', metadata: 'metadata' }[fault]
  return `returned invalid ${what}: ${detail}`
}

/** The object that is taken. */
function checkedResult(original: KubeObject, converted: unknown, apiVersion: string): KubeObject | Fault {
  if (!isRecord(converted)) return { fault: 'type', detail: 'it is no object' }
  const differs = (what: string, expected: unknown, received: unknown): Fault => ({
    fault: 'type',
    detail: `invalid ${what} (expected ${String(expected)}, received ${String(received)})`,
  })
  if (converted.apiVersion !== apiVersion) return differs('groupVersion', apiVersion, converted.apiVersion ?? '')
  if (converted.kind !== original.kind) return differs('kind', original.kind, converted.kind ?? '')
  const metadata = isRecord(converted.metadata) ? converted.metadata : undefined
  if (metadata === undefined) return { fault: 'metadata', detail: 'missing metadata in converted object' }
  for (const name of ['name', 'namespace', 'uid'] as const) {
    const [expected, received] = [original.metadata[name] ?? '', metadata[name] ?? '']
    if (expected === received) continue
    const detail = `must have the same ${name === 'uid' ? 'UID' : name}: ${expected} != ${String(received)}`
    return { fault: 'identity', detail }
  }
  const restored = restoredMetadata(original.metadata, metadata)
  if (typeof restored === 'string') return { fault: 'metadata', detail: restored }
  // What else it is, the schema of its version decides when it is read.
  return { ...converted, metadata: restored }
}

function restoredMetadata(
  { labels: _labels, annotations: _annotations, ...own }: ObjectMeta,
  converted: Readonly<Record<string, unknown>>,
): ObjectMeta | string {
  const texts: { [Field in 'labels' | 'annotations']?: Readonly<Record<string, string>> } = {}
  for (const field of ['labels', 'annotations'] as const) {
    const given = converted[field]
    if (given === undefined || given === null) continue
    if (!isTexts(given)) return `metadata.${field} must be strings in converted object`
    texts[field] = given
  }
  return { ...own, ...texts }
}

function isTexts(value: unknown): value is Readonly<Record<string, string>> {
  return isRecord(value) && Object.values(value).every((text) => typeof text === 'string')
}
