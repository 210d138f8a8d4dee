/** Audit events as values: `Event` of audit.k8s.io/v1, its levels and stages. */

import type { Status } from '../../machinery/meta/api-error.ts'

/** Each says what the one before says, and more. */
export const LEVELS = ['None', 'Metadata', 'Request', 'RequestResponse'] as const
export type Level = (typeof LEVELS)[number]

/** In upstream's order, in which messages name them. */
export const STAGES = ['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic'] as const
export type Stage = (typeof STAGES)[number]

export function atLeast(level: Level, wanted: Level): boolean {
  return LEVELS.indexOf(level) >= LEVELS.indexOf(wanted)
}

export interface LoggedUser {
  readonly username?: string | undefined
  readonly uid?: string | undefined
  readonly groups?: readonly string[] | undefined
  readonly extra?: Readonly<Record<string, readonly string[]>> | undefined
}

export interface ObjectReference {
  readonly resource?: string | undefined
  readonly namespace?: string | undefined
  readonly name?: string | undefined
  readonly uid?: string | undefined
  readonly apiGroup?: string | undefined
  readonly apiVersion?: string | undefined
  readonly resourceVersion?: string | undefined
  readonly subresource?: string | undefined
}

/** A Status without its kind. */
export type ResponseStatus = { readonly metadata: object } & Partial<
  Pick<Status, 'status' | 'message' | 'reason' | 'details' | 'code'>
>

/** Fields in the order in which upstream writes them. */
export interface AuditEvent {
  readonly kind: 'Event'
  readonly apiVersion: 'audit.k8s.io/v1'
  readonly level: Level
  readonly auditID: string
  readonly stage: Stage
  readonly requestURI: string
  readonly verb: string
  readonly user: LoggedUser
  readonly impersonatedUser?: LoggedUser | undefined
  readonly authenticationMetadata?: { readonly impersonationConstraint: string } | undefined
  readonly sourceIPs?: readonly string[] | undefined
  readonly userAgent?: string | undefined
  readonly objectRef?: ObjectReference | undefined
  readonly responseStatus?: ResponseStatus | undefined
  readonly requestObject?: unknown
  readonly responseObject?: unknown
  readonly requestReceivedTimestamp: string
  readonly stageTimestamp: string
  readonly annotations?: Readonly<Record<string, string>> | undefined
}

/** An event on its way to where it is kept: once as text for all of them. */
export interface LoggedEvent {
  readonly stage: Stage
  /** JSON without line breaks. */
  readonly text: string
}

/** Where events go. */
export interface AuditSink extends AsyncDisposable {
  /**
   * False: the event is lost and the request must not go on. Whatever else goes wrong is counted and told to the log,
   * and never the caller's concern.
   */
  accept(event: LoggedEvent): boolean | Promise<boolean>
}
