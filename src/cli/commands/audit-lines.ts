/** Lines of the audit log for people: when, who, what, with which answer. */

import { isRecord } from '../../base/is-record.ts'

type Fields = Readonly<Record<string, unknown>>

/** Whether the event is no older; what is no event is not selected. */
export function loggedSince(line: string, afterMs: number): boolean {
  const { stageTimestamp } = eventOf(line) ?? {}
  return typeof stageTimestamp === 'string' && Date.parse(stageTimestamp) >= afterMs
}

/** `09:45:00.123 201 create /api/v1/namespaces/shop/pods by jane`; before the end of a request, how far it has come. */
export function readableEvent(line: string): string {
  const event = eventOf(line)
  if (!event) return line
  const { stageTimestamp, stage, verb, requestURI, user, impersonatedUser, responseStatus } = event
  const { code = '---', reason } = isRecord(responseStatus) ? responseStatus : {}
  const names = [user, impersonatedUser].flatMap((who) => (isRecord(who) ? [who.username ?? 'nobody'] : []))
  const words = [String(stageTimestamp).slice(11, 23), code, verb, requestURI, 'by', names.join(' as ')]
  if (stage !== 'ResponseComplete') words.push(`(${stage})`)
  if (reason !== undefined) words.push(reason)
  return words.join(' ')
}

function eventOf(line: string): Fields | undefined {
  try {
    const event: unknown = JSON.parse(line)
    return isRecord(event) && event.kind === 'Event' ? event : undefined
  } catch {
    return undefined
  }
}
