/**
 * Paths that name no resource (`/healthz`, `/metrics`, `/version`, `/openapi`) over `express.Router`. Only its
 * routing is used, on request values, without sockets: see docs/decisions/0020-express-router-without-an-app.md.
 */

import { type Request, type RequestHandler, type Response, Router } from 'express'
import type { Awaitable } from '../base/awaitable.ts'
import { badRequest } from '../machinery/meta/api-error.ts'
import type { ApiRequest, ApiResponse } from '../machinery/wire/message.ts'

export interface PlainRoute {
  /** As `express` reads it: `/openapi/v3/:group/:version`. */
  readonly path: string
  /** Also everything below the path. */
  readonly below?: boolean | undefined
  /** Undefined: not here; the next route is asked. */
  handle(request: ApiRequest): Awaitable<ApiResponse | undefined>
}

/** The answer of the first route that has one. Routes are asked in their order. */
export function createPlainRoutes(
  routes: readonly PlainRoute[],
): (request: ApiRequest) => Promise<ApiResponse | undefined> {
  const router = Router({ caseSensitive: true, strict: false })
  for (const { path, below, handle } of routes) {
    const handler = handlerOf(handle)
    if (below) router.use(path, handler)
    else router.all(path, handler)
  }
  return (request) =>
    new Promise((resolve, reject) => {
      const visit: Visit = { url: request.path, method: request.method, visited: request, settle: resolve }
      // The router reads `url` and `method` and nothing else; the types ask for a socket's request.
      router(visit as unknown as Request, {} as Response, (error: unknown) => {
        if (error) reject(error instanceof URIError ? badRequest('the path cannot be decoded') : error)
        else resolve(undefined)
      })
    })
}

interface Visit {
  url: string
  readonly method: string
  readonly visited: ApiRequest
  settle(answer: ApiResponse): void
}

function handlerOf(handle: PlainRoute['handle']): RequestHandler {
  return async (routed, _response, next) => {
    const visit = routed as unknown as Visit
    const answer = await handle(visit.visited)
    if (answer) visit.settle(answer)
    else next()
  }
}
