/** What a delete request wishes, from its body or else its query, checked as upstream's DeleteOptions. */

import { builtinSchema } from '../../apis/builtin-schema.ts'
import type { PropagationPolicy } from '../../apis/definition.ts'
import { isRecord } from '../../base/is-record.ts'
import { badRequest, invalid } from '../../machinery/meta/api-error.ts'
import { type FieldError, invalidValue, notSupported, rootPath } from '../../machinery/meta/field-error.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import { checkFields, FieldTypeError } from '../../machinery/schema/decode.ts'
import type { ApiRequest } from '../../machinery/wire/message.ts'
import type { WriteOptions } from '../registry/context.ts'
import type { DeleteWish } from '../registry/delete.ts'
import { decodeBody, decoding, notRegistered } from './body.ts'
import { type Exchange, userOf, warnTo } from './exchange.ts'
import { isTrue } from './flags.ts'
import { dryRunErrors, integerParameter, metaKind } from './options.ts'

export interface DeleteParameters {
  readonly wish: DeleteWish
  readonly options: WriteOptions
}

const DELETE_OPTIONS = builtinSchema('meta.v1.DeleteOptions')

const POLICIES: readonly string[] = ['Foreground', 'Background', 'Orphan']
const isPolicy = (text: string): text is PropagationPolicy => POLICIES.includes(text)

export function deleteParameters<T extends KubeObject>({ request }: Exchange<T>): DeleteParameters {
  const given = request.body.type === 'none' ? fromQuery(request.query) : sentOptions(request)
  const { wish, dryRun } = deleteWish(given)
  if (request.body.type !== 'none') request.audit?.sent(undefined, () => loggedOptions(given))
  const kept = { apiVersion: 'meta.k8s.io/v1', ...(isRecord(given) ? given : {}), kind: 'DeleteOptions' }
  return {
    wish,
    options: {
      user: userOf(request),
      dryRun,
      fieldManager: '',
      options: kept,
      cause: request.cause,
      signal: request.signal,
      warn: warnTo(request),
      audit: request.audit,
    },
  }
}

/** In the version that upstream keeps options in, and logs them. */
function loggedOptions(given: unknown): unknown {
  return isRecord(given) ? { ...given, kind: 'DeleteOptions', apiVersion: 'meta.k8s.io/__internal' } : given
}

/** Throws 400 for fields of the wrong types. Every group has its own version of the kind; they are all the same. */
function sentOptions(request: ApiRequest): unknown {
  const body = decoding(() => decodeBody(request))
  if (request.body.type === 'bytes' && isRecord(body)) checkTypes(body)
  return body
}

function checkTypes(body: object): void {
  try {
    checkFields(body, DELETE_OPTIONS)
  } catch (error) {
    throw error instanceof FieldTypeError ? badRequest(error.message) : error
  }
}

/** A DeleteOptions object as a wish. Throws 400 and 422 for what is none. */
export function deleteWish(given: unknown): { readonly wish: DeleteWish; readonly dryRun: boolean } {
  if (!isRecord(given)) throw badRequest('the body of a delete must be a DeleteOptions object')
  if (given.kind !== undefined && given.kind !== '' && given.kind !== 'DeleteOptions')
    throw badRequest(notRegistered(String(given.apiVersion ?? ''), String(given.kind)))
  const dryRun = textList(given.dryRun)
  const wish = wishOf(given)
  const errors = [...dryRunErrors(dryRun), ...policyErrors(given, wish)]
  if (errors.length > 0) throw invalid(metaKind('DeleteOptions'), '', errors)
  return { wish, dryRun: dryRun.length > 0 }
}

type Given = Readonly<Record<string, unknown>>

function fromQuery(query: URLSearchParams): Given {
  const policy = query.get('propagationPolicy')
  const orphan = query.get('orphanDependents')
  const seconds = integerParameter(query, 'gracePeriodSeconds')
  return {
    ...(policy ? { propagationPolicy: policy } : {}),
    ...(orphan ? { orphanDependents: isTrue(orphan) } : {}),
    ...(seconds === undefined ? {} : { gracePeriodSeconds: seconds }),
    dryRun: query.getAll('dryRun').filter((value) => value !== ''),
  }
}

function wishOf(given: Given): DeleteWish {
  const { gracePeriodSeconds, propagationPolicy, orphanDependents, preconditions } = given
  const conditions = isRecord(preconditions) ? preconditions : {}
  return {
    gracePeriodSeconds: typeof gracePeriodSeconds === 'number' ? gracePeriodSeconds : undefined,
    propagationPolicy:
      typeof propagationPolicy === 'string' && isPolicy(propagationPolicy) ? propagationPolicy : undefined,
    orphanDependents: typeof orphanDependents === 'boolean' ? orphanDependents : undefined,
    uid: typeof conditions.uid === 'string' ? conditions.uid : undefined,
    resourceVersion: typeof conditions.resourceVersion === 'string' ? conditions.resourceVersion : undefined,
  }
}

function policyErrors({ propagationPolicy: policy }: Given, { orphanDependents }: DeleteWish): readonly FieldError[] {
  const path = rootPath.child('propagationPolicy')
  if (policy === undefined || policy === null) return []
  if (typeof policy !== 'string' || !isPolicy(policy)) return [notSupported(path, policy, [...POLICIES, 'nil'])]
  if (orphanDependents === undefined) return []
  return [invalidValue(path, policy, 'orphanDependents and deletionPropagation cannot be both set')]
}

function textList(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}
