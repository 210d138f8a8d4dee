/** POST to a collection. */

import { methodNotAllowed } from '../../machinery/meta/api-error.ts'
import type { ApiResponse } from '../../machinery/wire/message.ts'
import { inNamespace, objectOfBody } from './body.ts'
import { auditSent, type Exchange } from './exchange.ts'
import { writeParameters } from './options.ts'
import { objectResponse } from './respond.ts'

export async function create(exchange: Exchange): Promise<ApiResponse> {
  const { registry, request, target, view } = exchange
  const { definition } = registry
  if (definition.scope === 'Namespaced' && target.namespace === '') throw methodNotAllowed()
  const parameters = writeParameters(exchange, 'CreateOptions')
  const sent = objectOfBody(request, { kind: view.kind, ...parameters })
  auditSent(exchange, sent)
  const namespace = definition.scope === 'Namespaced' ? target.namespace : ''
  const object = view.written(inNamespace(sent, namespace), undefined)
  return objectResponse(exchange, view.show(await registry.create(object, parameters)), 201)
}
