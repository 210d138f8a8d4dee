/**
 * Which authorizers there are, in which order: an AuthorizationConfiguration in upstream's format, with its defaults and
 * its rules. Findings have upstream's paths and words.
 */

import {
  duplicate,
  type FieldError,
  type FieldPath,
  forbidden,
  invalidValue,
  notSupported,
  required,
  rootPath,
  tooMany,
} from '../../../machinery/meta/field-error.ts'
import { isDns1123Subdomain } from '../../../machinery/meta/names.ts'
import { formatDuration, parseDuration } from '../../../machinery/meta/time.ts'
import { compileMatchCondition } from './match-conditions.ts'

/** As it stands in the file. */
export interface AuthorizationConfiguration {
  readonly authorizers?: readonly AuthorizerConfiguration[] | undefined
}

export interface AuthorizerConfiguration {
  readonly type?: string | undefined
  readonly name?: string | undefined
  readonly webhook?: WebhookConfiguration | null | undefined
}

export interface WebhookConfiguration {
  readonly authorizedTTL?: string | undefined
  readonly cacheAuthorizedRequests?: boolean | undefined
  readonly unauthorizedTTL?: string | undefined
  readonly cacheUnauthorizedRequests?: boolean | undefined
  readonly timeout?: string | undefined
  readonly subjectAccessReviewVersion?: string | undefined
  readonly matchConditionSubjectAccessReviewVersion?: string | undefined
  readonly failurePolicy?: string | undefined
  readonly connectionInfo?: ConnectionInfo | undefined
  readonly matchConditions?: readonly { readonly expression?: string | undefined }[] | undefined
}

interface ConnectionInfo {
  readonly type?: string | undefined
  readonly kubeConfigFile?: string | null | undefined
}

/** Why a kubeconfig cannot be used; undefined: it can. */
export type FileFinding = (path: string) => string | undefined

const TYPES = ['AlwaysDeny', 'Node', 'RBAC', 'Webhook']
/** Upstream's that are not here. */
const REFUSED: ReadonlyMap<string, string> = new Map([
  ['AlwaysAllow', 'an authorizer that allows everything is not part of this server'],
  ['ABAC', 'rules in a file are not part of this server: say them as roles'],
])

export function configurationErrors(
  { authorizers = [] }: AuthorizationConfiguration,
  fileFinding: FileFinding,
): readonly FieldError[] {
  const path = rootPath.child('authorizers')
  if (authorizers.length === 0) return [required(path, 'at least one authorization mode must be defined')]
  const types = new Set<string>()
  const names = new Set<string>()
  return authorizers.flatMap((authorizer, index) => {
    const place = path.index(index)
    const { type = '', name = '' } = authorizer
    const typeErrors = errorsOfType(type, place.child('type'), types)
    if (typeErrors.length > 0) return typeErrors
    types.add(type)
    const nameErrors = errorsOfName(authorizer, place.child('name'), names)
    names.add(name)
    return [...nameErrors, ...errorsOfKind(authorizer, place, fileFinding)]
  })
}

function errorsOfType(type: string, path: FieldPath, seen: ReadonlySet<string>): readonly FieldError[] {
  const refused = REFUSED.get(type)
  if (type === '') return [required(path)]
  if (refused !== undefined) return [forbidden(path, refused)]
  if (!TYPES.includes(type)) return [notSupported(path, type, TYPES)]
  return seen.has(type) && type !== 'Webhook' ? [duplicate(path, type)] : []
}

/** All but webhooks have the one name that metrics and messages know them by. */
function errorsOfName(
  { type = '', name = '' }: AuthorizerConfiguration,
  path: FieldPath,
  seen: ReadonlySet<string>,
): readonly FieldError[] {
  if (name === '') return [required(path)]
  if (seen.has(name)) return [duplicate(path, name)]
  const findings = isDns1123Subdomain(name)
  if (findings.length > 0) return [invalidValue(path, name, `authorizer name is invalid: ${findings.join(', ')}`)]
  const expected = type.toLowerCase()
  if (type === 'Webhook' || name === expected) return []
  return [invalidValue(path, name, `expected name ${expected} for authorizer ${type} instead of ${name}`)]
}

function errorsOfKind(
  { type, webhook }: AuthorizerConfiguration,
  place: FieldPath,
  fileFinding: FileFinding,
): readonly FieldError[] {
  const path = place.child('webhook')
  if (type === 'Webhook')
    return webhook ? webhookErrors(webhook, place, fileFinding) : [required(path, 'required when type=Webhook')]
  return webhook ? [invalidValue(path, 'non-null', 'may only be specified when type=Webhook')] : []
}

const TIMEOUT_MS_MAX = 30_000

/** Upstream leaves `webhook` out of these paths. */
function webhookErrors(
  webhook: WebhookConfiguration,
  place: FieldPath,
  fileFinding: FileFinding,
): readonly FieldError[] {
  const { timeout, authorizedTTL, unauthorizedTTL, subjectAccessReviewVersion, failurePolicy } = webhook
  return [
    ...timeoutErrors(timeout, place.child('timeout')),
    ...durationErrors(authorizedTTL, place.child('authorizedTTL')),
    ...durationErrors(unauthorizedTTL, place.child('unauthorizedTTL')),
    ...choiceErrors(subjectAccessReviewVersion, place.child('subjectAccessReviewVersion'), ['v1', 'v1beta1']),
    ...conditionVersionErrors(webhook, place.child('matchConditionSubjectAccessReviewVersion')),
    ...choiceErrors(failurePolicy, place.child('failurePolicy'), ['NoOpinion', 'Deny']),
    ...connectionErrors(webhook.connectionInfo ?? {}, place.child('connectionInfo'), fileFinding),
    ...conditionErrors(webhook, place.child('matchConditions')),
  ]
}

function timeoutErrors(written: string | undefined, path: FieldPath): readonly FieldError[] {
  const range = { msMax: TIMEOUT_MS_MAX, text: 'must be > 0s and <= 30s' }
  return isZero(written) ? [required(path)] : durationErrors(written, path, range)
}

/** None means the default, and so does none at all. */
function isZero(written = ''): boolean {
  return written === '' || parseDuration(written) === 0
}

function durationErrors(
  written: string | undefined,
  path: FieldPath,
  range = { msMax: Number.POSITIVE_INFINITY, text: 'must be > 0s' },
): readonly FieldError[] {
  if (written === undefined || isZero(written)) return []
  const ms = parseDuration(written)
  if (ms === undefined) return [invalidValue(path, written, 'must be a duration such as 30s or 5m')]
  return ms < 0 || ms > range.msMax ? [invalidValue(path, formatDuration(ms), range.text)] : []
}

function choiceErrors(value = '', path: FieldPath, choices: readonly string[]): readonly FieldError[] {
  if (value === '') return [required(path)]
  return choices.includes(value) ? [] : [notSupported(path, value, choices)]
}

function conditionVersionErrors(webhook: WebhookConfiguration, path: FieldPath): readonly FieldError[] {
  const { matchConditionSubjectAccessReviewVersion: version = '', matchConditions = [] } = webhook
  if (version === 'v1') return []
  if (version !== '') return [notSupported(path, version, ['v1'])]
  return matchConditions.length > 0 ? [required(path, 'required if match conditions are specified')] : []
}

function connectionErrors(
  connection: ConnectionInfo,
  path: FieldPath,
  fileFinding: FileFinding,
): readonly FieldError[] {
  const { type = '', kubeConfigFile } = connection
  const filePath = path.child('kubeConfigFile')
  switch (type) {
    case '':
      return [required(path.child('type'))]
    case 'InClusterConfig':
      return [invalidValue(path.child('type'), type, 'the API server would ask itself: name a kubeConfigFile')]
    case 'KubeConfigFile': {
      if (!kubeConfigFile) return [required(filePath)]
      const finding = kubeConfigFile.startsWith('/') ? fileFinding(kubeConfigFile) : 'must be an absolute path'
      return finding === undefined ? [] : [invalidValue(filePath, kubeConfigFile, finding)]
    }
    default:
      return [notSupported(path.child('type'), type, ['KubeConfigFile'])]
  }
}

const CONDITIONS_MAX = 64

function conditionErrors({ matchConditions = [] }: WebhookConfiguration, path: FieldPath): readonly FieldError[] {
  if (matchConditions.length > CONDITIONS_MAX) return [tooMany(path, matchConditions.length, CONDITIONS_MAX)]
  const seen = new Set<string>()
  return matchConditions.flatMap(({ expression = '' }, index) => {
    const place = path.index(index).child('expression')
    if (expression.trim() === '') return [required(place)]
    if (seen.has(expression)) return [duplicate(place, expression)]
    seen.add(expression)
    const compiled = compileMatchCondition(expression)
    return 'failure' in compiled ? [invalidValue(place, expression, compiled.failure)] : []
  })
}

/** Upstream's. */
const AUTHORIZED_MS = 5 * 60_000
const UNAUTHORIZED_MS = 30_000

/** What an authorizer of type Webhook is made from. */
export interface WebhookPlan {
  readonly name: string
  readonly version: 'v1' | 'v1beta1'
  readonly timeoutMs: number
  /** 0: not kept. */
  readonly authorizedMs: number
  readonly unauthorizedMs: number
  readonly failureVerdict: 'no-opinion' | 'deny'
  /** A path. */
  readonly kubeconfig: string
  readonly expressions: readonly string[]
}

/** Of a configuration without errors, with the defaults. */
export function webhookPlanOf(name: string, webhook: WebhookConfiguration): WebhookPlan {
  const { cacheAuthorizedRequests, cacheUnauthorizedRequests, connectionInfo, matchConditions = [] } = webhook
  return {
    name,
    version: webhook.subjectAccessReviewVersion === 'v1beta1' ? 'v1beta1' : 'v1',
    timeoutMs: msOf(webhook.timeout),
    authorizedMs: cacheAuthorizedRequests === false ? 0 : msOf(webhook.authorizedTTL) || AUTHORIZED_MS,
    unauthorizedMs: cacheUnauthorizedRequests === false ? 0 : msOf(webhook.unauthorizedTTL) || UNAUTHORIZED_MS,
    failureVerdict: webhook.failurePolicy === 'Deny' ? 'deny' : 'no-opinion',
    kubeconfig: connectionInfo?.kubeConfigFile ?? '',
    expressions: matchConditions.map(({ expression = '' }) => expression),
  }
}

function msOf(duration = ''): number {
  return parseDuration(duration) ?? 0
}
