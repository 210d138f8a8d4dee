/** Waiting for the state of the world, as a client sees it. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Connection } from './connection.ts'

/** Between two looks, in ms. */
const LOOK_MS = 10
const TIMEOUT_MS = 120_000

const READY = /"type":"Ready"[^}]*?"status":"True"|"status":"True"[^}]*?"type":"Ready"/g

/** Resolves when this many nodes report Ready. */
export async function nodesReady(connection: Connection, count: number): Promise<void> {
  await untilCount(connection, '/api/v1/nodes', (body) => body.match(READY)?.length ?? 0, count)
}

/** Looks at a list until what is counted in its text has reached the number. */
export async function untilCount(
  connection: Connection,
  path: string,
  count: (body: string) => number,
  wanted: number,
): Promise<void> {
  const limit = performance.now() + TIMEOUT_MS
  for (;;) {
    const { body } = await connection.send({ method: 'GET', path })
    const found = count(body.toString())
    if (found >= wanted) return
    if (performance.now() > limit) throw new Error(`${path}: ${found} of ${wanted} after ${TIMEOUT_MS} ms`)
    await sleep(LOOK_MS)
  }
}

/** Looks at a list until it is empty. */
export function untilNone(connection: Connection, path: string): Promise<void> {
  return until(connection, path, (body) => body.includes('"items":[]'))
}

/** Looks at a list until this many of its objects are in the phase Running. */
export function untilRunning(connection: Connection, path: string, wanted: number): Promise<void> {
  return untilCount(connection, path, (body) => body.match(/"phase":"Running"/g)?.length ?? 0, wanted)
}

/** Looks at a path until its text is as wanted. */
export function until(connection: Connection, path: string, isDone: (body: string) => boolean): Promise<void> {
  return untilCount(connection, path, (body) => (isDone(body) ? 1 : 0), 1)
}

/** Pods of a namespace without this account are refused. */
export function accountReady(connection: Connection): Promise<void> {
  return untilStatus(connection, '/api/v1/namespaces/default/serviceaccounts/default', 200)
}

/** Looks at a path until it answers with this status. */
export async function untilStatus(connection: Connection, path: string, wanted: number): Promise<void> {
  const limit = performance.now() + TIMEOUT_MS
  for (;;) {
    const { status } = await connection.send({ method: 'GET', path })
    if (status === wanted) return
    if (performance.now() > limit) throw new Error(`${path}: ${status} instead of ${wanted} after ${TIMEOUT_MS} ms`)
    await sleep(LOOK_MS)
  }
}
