/**
 * What is known of one request for the audit log, from its first byte on, and the events that are made of it. Facts
 * come in from all over the server through `AuditTrail`; a request that is not logged keeps none.
 */

import { type Awaitable, lastly } from '../../base/awaitable.ts'
import { setOwn } from '../../base/deep-freeze.ts'
import type { Random } from '../../base/random.ts'
import { randomUuid } from '../../base/random.ts'
import type { Status } from '../../machinery/meta/api-error.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import { formatDuration, formatMicroTime } from '../../machinery/meta/time.ts'
import type { ApiRequest, AuditDetail, AuditLayer, AuditTrail, UserInfo } from '../../machinery/wire/message.ts'
import type { RequestTarget } from '../auth/authorizer.ts'
import type { Auditing } from './auditing.ts'
import { isConfidential, withoutTexts } from './confidential.ts'
import {
  type AuditEvent,
  atLeast,
  type LoggedUser,
  type ObjectReference,
  type ResponseStatus,
  type Stage,
} from './event.ts'
import { withoutManagedFields } from './logged-object.ts'
import { type AuditVerdict, NOT_LOGGED } from './policy.ts'
import { sourceAddresses } from './source-addresses.ts'

/** Characters; upstream's limit and its mark. */
const USER_AGENT_LENGTH_MAX = 1_024
const CUT = '...TRUNCATED'

/** Facts kept of one request, and characters of one: policies and webhooks bring their own. */
const ANNOTATIONS_MAX = 128
const ANNOTATION_LENGTH_MAX = 256 * 1_024

/** A request that takes longer is slow; upstream's threshold. In ms. */
const SLOW_MS = 500
const LATENCY = 'apiserver.latency.k8s.io'

interface Annotation {
  readonly value: string
  readonly from: AuditDetail
}

export interface RecordedCall {
  readonly request: ApiRequest
  readonly target: RequestTarget
}

export class RequestRecord implements AuditTrail {
  readonly #auditing: Auditing
  readonly #id: string
  readonly #receivedMs: number
  readonly #startMs: number
  readonly #call: RecordedCall
  readonly #annotations = new Map<string, Annotation>()
  readonly #spentMs = new Map<AuditLayer, number>()
  #verdict: AuditVerdict | undefined
  #user: UserInfo | undefined
  #impersonated: { readonly user: UserInfo; readonly constraint: string | undefined } | undefined
  #sentMetadata: KubeObject['metadata'] = {}
  #requestObject: unknown
  #responseObject: unknown
  #status: Status | undefined
  #code: number | undefined
  #onAnswered: (() => void) | undefined

  constructor(auditing: Auditing, call: RecordedCall, random: Random) {
    this.#auditing = auditing
    this.#call = call
    this.#receivedMs = auditing.clock.now()
    this.#startMs = auditing.clock.monotonic()
    this.#id = call.request.headers['audit-id'] || randomUuid(random)
  }

  /** Whether the policy has decided. Before that all facts are kept. */
  get isDecided(): boolean {
    return this.#verdict !== undefined
  }

  /** What the policy says of the request as this user's; from now on facts that it does not want are forgotten. */
  decided(user: UserInfo | undefined, verdict: AuditVerdict): void {
    this.#verdict = verdict
    this.#user = user
  }

  annotate(key: string, value: string, from: AuditDetail = 'Metadata'): void {
    if (!this.#keeps(from) || this.#annotations.has(key) || this.#annotations.size >= ANNOTATIONS_MAX) return
    this.#annotations.set(key, { value: value.slice(0, ANNOTATION_LENGTH_MAX), from })
  }

  timed<T>(layer: AuditLayer, work: () => Awaitable<T>): Awaitable<T> {
    const { clock } = this.#auditing
    const startMs = clock.monotonic()
    return lastly(work, () => {
      this.#spentMs.set(layer, (this.#spentMs.get(layer) ?? 0) + clock.monotonic() - startMs)
    })
  }

  sent(object: KubeObject | undefined, form: () => unknown): void {
    if (!this.#keeps('Metadata')) return
    if (object !== undefined) this.#sentMetadata = object.metadata
    if (this.#keeps('Request')) this.#requestObject = this.#shown(form())
  }

  impersonated(user: UserInfo, constraint: string | undefined): void {
    if (this.#keeps('Metadata')) this.#impersonated = { user, constraint }
  }

  answers(form: () => unknown): void {
    if (this.#verdict && atLeast(this.#verdict.level, 'RequestResponse')) this.#responseObject = this.#shown(form())
  }

  answersStatus(status: Status): void {
    this.#status = status
  }

  answered(code: number): void {
    this.#code = code
    this.#onAnswered?.()
  }

  /** Calls back when `answered` is called. */
  onAnswered(callback: () => void): void {
    this.#onAnswered = callback
  }

  /** False: the event was lost and the request must not go on. */
  emit(stage: Stage): boolean | Promise<boolean> {
    const { level, omitStages } = this.#verdict ?? NOT_LOGGED
    if (level === 'None' || omitStages.has(stage)) return true
    const { metrics, sink } = this.#auditing
    if (stage === 'ResponseComplete') this.#annotateLatency()
    metrics.events()
    return sink.accept({ stage, text: eventText(this.#event(stage)) })
  }

  #annotateLatency(): void {
    const totalMs = this.#auditing.clock.monotonic() - this.#startMs
    // A watch is meant to last.
    if (totalMs <= SLOW_MS || this.#call.target.verb === 'watch') return
    for (const [layer, ms] of this.#spentMs) if (ms > 0) this.annotate(`${LATENCY}/${layer}`, formatDuration(ms))
    this.annotate(`${LATENCY}/total`, formatDuration(totalMs))
  }

  #keeps(from: AuditDetail): boolean {
    return this.#verdict === undefined ? from === 'Metadata' : atLeast(this.#verdict.level, from)
  }

  #shown(value: unknown): unknown {
    return this.#verdict?.omitManagedFields ? withoutManagedFields(value) : value
  }

  #event(stage: Stage): AuditEvent {
    const { request, target } = this.#call
    const { level } = this.#verdict ?? NOT_LOGGED
    const sourceIPs = sourceAddresses(request)
    const received = formatMicroTime(this.#receivedMs)
    const { constraint } = this.#impersonated ?? {}
    const annotations = this.#shownAnnotations()
    const responseObject = atLeast(level, 'RequestResponse') ? (this.#status ?? this.#responseObject) : undefined
    return {
      kind: 'Event',
      apiVersion: 'audit.k8s.io/v1',
      level,
      auditID: this.#id,
      stage,
      requestURI: uriOf(request),
      verb: target.verb,
      user: loggedUser(this.#user),
      ...(this.#impersonated && { impersonatedUser: loggedUser(this.#impersonated.user) }),
      ...(constraint && { authenticationMetadata: { impersonationConstraint: constraint } }),
      ...(sourceIPs.length > 0 && { sourceIPs }),
      ...(request.headers['user-agent'] && { userAgent: cut(request.headers['user-agent']) }),
      ...(target.type === 'resource' && { objectRef: referenceOf(target, this.#sentMetadata) }),
      ...(stage !== 'RequestReceived' && { responseStatus: this.#responseStatus() }),
      ...(this.#requestObject !== undefined && { requestObject: this.#requestObject }),
      ...(responseObject !== undefined && { responseObject }),
      requestReceivedTimestamp: received,
      stageTimestamp: stage === 'RequestReceived' ? received : formatMicroTime(this.#auditing.clock.now()),
      ...(Object.keys(annotations).length > 0 && { annotations }),
    }
  }

  #responseStatus(): ResponseStatus {
    const code = this.#code ?? this.#status?.code ?? 200
    if (this.#status === undefined) return { metadata: {}, code }
    const { status, message, reason, details } = this.#hidesBody() ? withoutTexts(this.#status) : this.#status
    return { metadata: {}, status, message, reason, details, code }
  }

  /** Whether an answer that repeats what is wrong with the body would say more than the level allows. */
  #hidesBody(): boolean {
    return !this.#keeps('Request') && isConfidential(this.#call.target)
  }

  #shownAnnotations(): Readonly<Record<string, string>> {
    const annotations: Record<string, string> = {}
    for (const [key, { value, from }] of this.#annotations) if (this.#keeps(from)) setOwn(annotations, key, value)
    return annotations
  }
}

/** An event that is longer loses its bodies. */
const EVENT_CHARACTERS_MAX = 16 * 1024 * 1024

/** As JSON. Without its bodies, and with a word about it, when it is too long, or longer than any text can be. */
export function eventText(event: AuditEvent, charactersMax = EVENT_CHARACTERS_MAX): string {
  const whole = textOrUndefined(event)
  if (whole !== undefined && whole.length <= charactersMax) return whole
  const { requestObject: _sent, responseObject: _answer, ...rest } = event
  return JSON.stringify({ ...rest, annotations: { ...event.annotations, 'audit.k8s.io/truncated': 'true' } })
}

function textOrUndefined(event: AuditEvent): string | undefined {
  try {
    return JSON.stringify(event)
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/** As on the request line. */
function uriOf({ path, query, rawQuery = query.toString() }: ApiRequest): string {
  return rawQuery === '' ? path : `${path}?${rawQuery}`
}

function cut(userAgent: string): string {
  return userAgent.length > USER_AGENT_LENGTH_MAX ? `${userAgent.slice(0, USER_AGENT_LENGTH_MAX)}${CUT}` : userAgent
}

function loggedUser(user: UserInfo | undefined): LoggedUser {
  if (user === undefined) return {}
  const { name, uid, groups, extra } = user
  return {
    username: name,
    ...(uid && { uid }),
    ...(groups.length > 0 && { groups }),
    ...(extra && Object.keys(extra).length > 0 && { extra }),
  }
}

/** What the path says, completed by what the object says that was sent. Nothing that is empty. */
function referenceOf(
  target: Extract<RequestTarget, { readonly type: 'resource' }>,
  { namespace, name, uid, resourceVersion }: KubeObject['metadata'],
): ObjectReference {
  const reference = {
    resource: target.resource,
    namespace: target.namespace || namespace,
    name: target.name || target.selectedName || name,
    uid,
    apiGroup: target.group,
    apiVersion: target.version,
    resourceVersion,
    subresource: target.subresource,
  }
  return Object.fromEntries(Object.entries(reference).filter(([, value]) => typeof value === 'string' && value !== ''))
}
