/** DELETE of one object. */

import type { ApiResponse } from '../../machinery/wire/message.ts'
import { deletedStatus } from '../registry/delete.ts'
import { deleteParameters } from './delete-options.ts'
import { type Exchange, keyOfTarget } from './exchange.ts'
import { objectResponse, valueResponse } from './respond.ts'

export async function deleteOne(exchange: Exchange): Promise<ApiResponse> {
  const { registry, request, view } = exchange
  const { wish, options } = deleteParameters(exchange)
  const { stored, gone } = await registry.delete(keyOfTarget(exchange), wish, options)
  if (gone && registry.definition.deletion.returns === 'status') {
    const status = deletedStatus(registry.definition, stored)
    request.audit?.answersStatus(status)
    // Who asks for the object as a table or its metadata takes a Status as well.
    return valueResponse(request, 200, status, {})
  }
  // Who asks in the old way that dependents go too is told that this takes a while.
  return objectResponse(exchange, view.show(stored), !gone && wish.orphanDependents === false ? 202 : 200)
}
