/** GET of one object. */

import { type Awaitable, whenThere } from '../../base/awaitable.ts'
import { notFound } from '../../machinery/meta/api-error.ts'
import type { ApiResponse } from '../../machinery/wire/message.ts'
import { type Exchange, keyOfTarget } from './exchange.ts'
import { objectResponse } from './respond.ts'

export function get(exchange: Exchange): Awaitable<ApiResponse> {
  const { registry, request, view } = exchange
  const resourceVersion = request.query.get('resourceVersion') ?? ''
  const key = keyOfTarget(exchange)
  if (resourceVersion !== '' || !registry.isFresh)
    return whenThere(registry.get(key, resourceVersion, request.signal), (stored) =>
      objectResponse(exchange, view.show(stored)),
    )
  const stored = registry.peek(key)
  if (stored === undefined) throw notFound(registry.definition, key.name)
  return objectResponse(exchange, view.show(stored))
}
