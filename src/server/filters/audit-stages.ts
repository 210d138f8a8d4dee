/**
 * Logs what becomes of a request whose caller is known: that it came, for lasting ones that the answer began, and that
 * it ended, or that the server failed at it.
 */

import { orElse } from '../../base/awaitable.ts'
import { ApiError, timeout, toStatus } from '../../machinery/meta/api-error.ts'
import type { ApiRequest, ApiResponse, UpgradedSocket } from '../../machinery/wire/message.ts'
import type { Auditing } from '../audit/auditing.ts'
import { RequestRecord } from '../audit/record.ts'
import type { RequestTarget } from '../auth/authorizer.ts'
import type { AuditParts } from './audit.ts'
import { type Call, type Filter, isLongRunning, type Step } from './filter.ts'

export function auditStages({ auditing, random }: AuditParts): Filter {
  return (next) => {
    if (!auditing) return next
    return (call) => {
      const { user, audit } = call.request
      const verdict = auditing.decide(user, call.target)
      const isLogged = verdict.level !== 'None'
      const begun = audit instanceof RequestRecord ? audit : undefined
      // Callers in this process have none yet, and need none for what is not logged.
      const record = begun ?? (isLogged ? new RequestRecord(auditing, call, random) : undefined)
      record?.decided(user, verdict)
      if (!record || !isLogged) return next(unlogged(call))
      return logged({ auditing, record, lasts: isLongRunning(call.target) }, next, call)
    }
  }
}

async function logged<Target extends RequestTarget>(
  parts: Followed,
  next: Step<Target>,
  { request, target }: Call<Target>,
): Promise<ApiResponse> {
  const { auditing, record, lasts } = parts
  if (!(await record.emit('RequestReceived'))) return refused(auditing, request)
  const answer = await orElse(
    () => next({ request: { ...request, audit: record }, target }),
    async (error) => {
      await failed(record, error, { request, target })
      throw error
    },
  )
  return lasts || isOnItsWay(answer) ? followed(parts, answer, request) : finished(record, answer)
}

function unlogged<C extends Call>(call: C): C {
  return call.request.audit === undefined ? call : { ...call, request: { ...call.request, audit: undefined } }
}

/** What cannot be logged must not happen, where the log is to be strict. In upstream's words. */
function refused({ metrics }: Auditing, { path }: ApiRequest): ApiResponse {
  metrics.rejected()
  const text = `Internal Server Error: ${JSON.stringify(path)}: failed to store audit event\n`
  const headers = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' }
  return { status: 500, headers, body: { type: 'bytes', bytes: Buffer.from(text) } }
}

/** What another server answers, passed on as it comes. */
function isOnItsWay({ body }: ApiResponse): boolean {
  return body.type === 'stream' || body.type === 'upgrade'
}

async function finished(record: RequestRecord, answer: ApiResponse): Promise<ApiResponse> {
  record.answered(answer.status)
  await record.emit('ResponseComplete')
  return answer
}

async function failed(record: RequestRecord, error: unknown, { request: { signal }, target }: Call): Promise<void> {
  const isPanic = !(error instanceof ApiError) && !signal.aborted
  const status = isPanic ? panicked(error) : toStatus(signal.aborted && !(error instanceof ApiError) ? LATE : error)
  record.answersStatus(status)
  record.answered(status.code ?? 500)
  if (isPanic) return void (await record.emit('Panic'))
  // A lasting answer that is a refusal has begun as well.
  if (isLongRunning(target)) await record.emit('ResponseStarted')
  await record.emit('ResponseComplete')
}

const LATE = timeout('request did not complete within requested timeout - context deadline exceeded')

/** The error's name alone: its text may repeat what no level has asked for. */
function panicked(error: unknown) {
  const { status } = new ApiError(
    500,
    'InternalError',
    `APIServer panic'd: ${error instanceof Error ? error.name : typeof error}`,
  )
  return status
}

interface Followed {
  readonly auditing: Auditing
  readonly record: RequestRecord
  /** Whether its beginning is logged as well. */
  readonly lasts: boolean
}

/** The answer as it is, with an eye on its end. */
async function followed(parts: Followed, answer: ApiResponse, { signal }: ApiRequest): Promise<ApiResponse> {
  const { auditing, record, lasts } = parts
  const { body, status } = answer
  const begin = once(() => !lasts || record.emit('ResponseStarted'))
  const complete = once(async () => {
    await begin()
    await record.emit('ResponseComplete')
  })
  const onEnd = () => {
    signal.removeEventListener('abort', onEnd)
    complete().catch((error: unknown) => auditing.log.error('an event was lost', { error }))
  }
  // Who takes the connection over to pass one exchange on knows the code later.
  if (body.type === 'upgrade' && status !== 101) record.onAnswered(() => void begin())
  else {
    record.answered(status)
    await begin()
  }
  switch (body.type) {
    case 'stream':
      signal.addEventListener('abort', onEnd, { once: true })
      return { ...answer, body: { ...body, chunks: untilEnd(body.chunks, onEnd) } }
    case 'events':
      return { ...answer, body: { ...body, events: untilEnd(body.events, onEnd) } }
    case 'upgrade': {
      const connect = (taken: UpgradedSocket) => {
        endOf(taken, (code = status) => {
          record.answered(code)
          onEnd()
        })
        body.connect(taken)
      }
      return { ...answer, body: { ...body, connect } }
    }
    default:
      await complete()
      return answer
  }
}

/** With the code of an answer that was passed on. */
function endOf({ socket, response }: UpgradedSocket, ended: (code?: number) => void): void {
  if (response) response.once('close', () => ended(response.statusCode))
  else socket.once('close', () => ended())
}

function once<T>(run: () => T): () => T {
  let result: { readonly value: T } | undefined
  return () => {
    result ??= { value: run() }
    return result.value
  }
}

/** The same items; `ended` is called when there are no more, for whatever reason. */
function untilEnd<T>(items: AsyncIterable<T>, ended: () => void): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = items[Symbol.asyncIterator]()
      return {
        async next() {
          try {
            const result = await iterator.next()
            if (result.done) ended()
            return result
          } catch (error) {
            ended()
            throw error
          }
        },
        async return(value) {
          ended()
          return (await iterator.return?.(value)) ?? { value, done: true }
        },
      }
    },
  }
}
