/** GET of a collection. */

import { type Awaitable, whenThere } from '../../base/awaitable.ts'
import { forbidden, rootPath } from '../../machinery/meta/field-error.ts'
import type { ApiResponse } from '../../machinery/wire/message.ts'
import { invalidListOptions } from '../registry/list.ts'
import type { Exchange } from './exchange.ts'
import { listResponse } from './lists/list-response.ts'
import { listOptions } from './options.ts'

export function list(exchange: Exchange): Awaitable<ApiResponse> {
  if (exchange.request.query.get('sendInitialEvents'))
    throw invalidListOptions([
      forbidden(rootPath.child('sendInitialEvents'), 'sendInitialEvents is forbidden for list'),
    ])
  return whenThere(exchange.registry.list(listOptions(exchange)), (listed) => listResponse(exchange, listed))
}
