/** DELETE of one object. */

import type { ApiResponse } from '../../machinery/wire/message.ts'
import { type DeleteWish, deletedStatus } from '../registry/delete.ts'
import { deleteParameters } from './delete-options.ts'
import { type Exchange, keyOfTarget } from './exchange.ts'
import { objectResponse, valueResponse } from './respond.ts'

export async function deleteOne(exchange: Exchange): Promise<ApiResponse> {
  const { registry, request, view } = exchange
  const { wish, options } = deleteParameters(exchange)
  const { stored, gone } = await registry.delete(keyOfTarget(exchange), wish, options)
  if (gone && registry.definition.deletion.returns === 'status')
    // Who asks for the object as a table or its metadata takes a Status as well.
    return valueResponse(request, 200, deletedStatus(registry.definition, stored), {})
  return objectResponse(exchange, view.show(stored), !gone && asksForCascade(wish) ? 202 : 200)
}

/** Whoever asked that dependents go too is told that this takes a while. */
function asksForCascade({ propagationPolicy, orphanDependents }: DeleteWish): boolean {
  return orphanDependents === false || propagationPolicy === 'Foreground'
}
