/**
 * `/healthz`, `/livez`, `/readyz`: named checks, one by one (`/readyz/storage`), together, with `?verbose` and
 * `?exclude=name`, in upstream's texts. Reasons of failures are for callers that are known.
 */

import type { ApiRequest, ApiResponse } from '../machinery/wire/message.ts'

export interface HealthCheck {
  readonly name: string
  /** Undefined: healthy. Otherwise why not. */
  check(): string | undefined | Promise<string | undefined>
}

/** Process is up: the first check of every list. */
export const ping: HealthCheck = { name: 'ping', check: () => undefined }

export interface HealthChecks {
  readonly livez: readonly HealthCheck[]
  readonly readyz: readonly HealthCheck[]
}

export interface Health {
  /** Undefined: not one of its paths. */
  handle(request: ApiRequest): Promise<ApiResponse | undefined>
  /** Its paths: each list, and each check of it. */
  readonly names: readonly string[]
}

export function createHealth({ livez, readyz }: HealthChecks): Health {
  const endpoints = new Map<string, readonly HealthCheck[]>([
    ['healthz', livez],
    ['livez', livez],
    ['readyz', readyz],
  ])
  return {
    names: [...endpoints].flatMap(([endpoint, checks]) => [
      `/${endpoint}`,
      ...checks.map(({ name }) => `/${endpoint}/${name}`),
    ]),
    async handle(request) {
      const [, endpoint = '', name, ...rest] = request.path.split('/')
      const checks = endpoints.get(endpoint)
      if (!checks || rest.length > 0) return undefined
      if (name === undefined || name === '') return allChecks(endpoint, checks, request)
      const check = checks.find((candidate) => candidate.name === name)
      return check && oneCheck(check, request)
    },
  }
}

const TEXT_TYPE = 'text/plain; charset=utf-8'
const WITHHELD = 'reason withheld'

function mayKnow({ user }: ApiRequest): boolean {
  return user !== undefined && !user.groups.includes('system:unauthenticated')
}

async function resultOf(check: HealthCheck): Promise<string | undefined> {
  try {
    return await check.check()
  } catch (error) {
    return error instanceof Error ? error.message : 'failed'
  }
}

async function oneCheck(check: HealthCheck, request: ApiRequest): Promise<ApiResponse> {
  const failure = await resultOf(check)
  if (failure === undefined) return { ...plain(200, 'ok'), headers: { 'content-type': TEXT_TYPE } }
  return plain(500, `internal server error: ${mayKnow(request) ? failure : WITHHELD}\n`)
}

async function allChecks(endpoint: string, checks: readonly HealthCheck[], request: ApiRequest): Promise<ApiResponse> {
  const excluded = new Set(request.query.getAll('exclude'))
  const results = await Promise.all(
    checks.map(async (check) => ({
      name: check.name,
      failure: excluded.has(check.name) ? undefined : await resultOf(check),
    })),
  )
  const lines = results.map(({ name, failure }) => {
    if (excluded.delete(name)) return `[+]${name} excluded: ok\n`
    return failure === undefined ? `[+]${name} ok\n` : `[-]${name} failed: ${mayKnow(request) ? failure : WITHHELD}\n`
  })
  if (excluded.size > 0) {
    const names = [...excluded].map((name) => JSON.stringify(name)).join(',')
    lines.push(`warn: some health checks cannot be excluded: no matches for ${names}\n`)
  }
  if (results.some(({ failure }) => failure !== undefined))
    return plain(500, `${lines.join('')}${endpoint} check failed\n`)
  return plain(200, request.query.has('verbose') ? `${lines.join('')}${endpoint} check passed\n` : 'ok')
}

function plain(status: number, text: string): ApiResponse {
  const headers = { 'content-type': TEXT_TYPE, 'x-content-type-options': 'nosniff' }
  return { status, headers, body: { type: 'bytes', bytes: Buffer.from(text) } }
}
