/** GET of one object. */

import type { ApiResponse } from '../../machinery/wire/message.ts'
import { type Exchange, keyOfTarget } from './exchange.ts'
import { objectResponse } from './respond.ts'

export async function get(exchange: Exchange): Promise<ApiResponse> {
  const { registry, request, view } = exchange
  const stored = await registry.get(keyOfTarget(exchange), request.query.get('resourceVersion') ?? '', request.signal)
  return objectResponse(exchange, view.show(stored))
}
