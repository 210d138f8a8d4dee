/** The same session with both servers, and the events that each has logged of it, side by side. */

import { readFile, writeFile } from 'node:fs/promises'
import { systemClock } from '../../../src/base/clock.ts'
import type { Step } from '../case.ts'
import { makeNamespace, type Peers, type Played, requestOf } from '../play.ts'
import { differencesOf, isRecord } from '../values.ts'
import { steady } from '../volatile.ts'
import { POLICY, SESSION, SESSION_NAMESPACE } from './session.ts'

/** Where each server writes its events. */
export interface AuditLogs {
  readonly upstream: string
  readonly t8s: string
}

export async function writePolicy(path: string): Promise<void> {
  await writeFile(path, JSON.stringify(POLICY))
}

const idOf = (index: number): string => `session-${index}`

export async function playAudit(peers: Peers, logs: AuditLogs, filter: string): Promise<readonly Played[]> {
  if (!SESSION.some(({ name }) => `audit: ${name}`.includes(filter))) return []
  await makeNamespace(peers, SESSION_NAMESPACE)
  for (const [index, { step }] of SESSION.entries()) {
    const request = requestOf(withId(step, idOf(index)), new Map())
    await Promise.all([peers.upstream.send(request), peers.t8s.send(request)])
  }
  const [upstream, t8s] = await Promise.all([eventsIn(logs.upstream), eventsIn(logs.t8s)])
  return SESSION.map(({ name }, index) => ({
    group: 'audit',
    name: `audit: ${name}`,
    differences: differencesOf('', upstream.get(idOf(index)), t8s.get(idOf(index))).map((difference) => ({
      ...difference,
      where: difference.where.slice(1),
    })),
  }))
}

function withId(step: Step, id: string): Step {
  return { ...step, headers: { ...step.headers, 'audit-id': id } }
}

/** A server writes the last line after it has answered. */
const WRITTEN_MS = 10_000
const POLL_MS = 50

/** By the ids of their requests, then by stage. */
async function eventsIn(path: string): Promise<ReadonlyMap<string, unknown>> {
  const end = systemClock.monotonic() + WRITTEN_MS
  for (;;) {
    const events = (await readFile(path, 'utf8'))
      .split('\n')
      .filter((line) => line !== '')
      .flatMap(parsed)
    const last = idOf(SESSION.length - 1)
    const isWhole = events.some(({ auditID, stage }) => auditID === last && stage === 'ResponseComplete')
    if (isWhole || systemClock.monotonic() > end) return byRequest(events)
    await systemClock.sleep(POLL_MS)
  }
}

type Event = Readonly<Record<string, unknown>>

function parsed(line: string): readonly Event[] {
  const value: unknown = JSON.parse(line)
  if (!isRecord(value)) return []
  // Which right let somebody be somebody else: upstream tries first what has let the same caller before.
  const { authenticationMetadata: _, ...event } = value
  return [withoutLatency(event)]
}

/** Either server tells where a request has spent its time when it was slow, which this machine makes them now and then. */
function withoutLatency(event: Event): Event {
  if (!isRecord(event.annotations)) return event
  const kept = Object.entries(event.annotations).filter(([key]) => !key.startsWith('apiserver.latency.k8s.io/'))
  return { ...event, annotations: Object.fromEntries(kept) }
}

function byRequest(events: readonly Event[]): ReadonlyMap<string, unknown> {
  const requests = Map.groupBy(events, ({ auditID }) => String(auditID))
  return new Map(
    [...requests].map(([id, stages]) => [
      id,
      steady(Object.fromEntries(stages.map((event) => [String(event.stage), event]))),
    ]),
  )
}
