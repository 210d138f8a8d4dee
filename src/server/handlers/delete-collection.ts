/** DELETE of a collection. */

import type { ApiResponse } from '../../machinery/wire/message.ts'
import { deleteParameters } from './delete-options.ts'
import type { Exchange } from './exchange.ts'
import { listResponse } from './lists/list-response.ts'
import { listOptions } from './options.ts'

export async function deleteCollection(exchange: Exchange): Promise<ApiResponse> {
  const { wish, options } = deleteParameters(exchange)
  return listResponse(exchange, await exchange.registry.deleteCollection(listOptions(exchange), wish, options))
}
