/** PUT of one object. */

import type { ApiResponse } from '../../machinery/wire/message.ts'
import { checkName, inNamespace, objectOfBody } from './body.ts'
import { auditSent, type Exchange, keyOfTarget } from './exchange.ts'
import { writeParameters } from './options.ts'
import { objectResponse } from './respond.ts'

export async function update(exchange: Exchange): Promise<ApiResponse> {
  const { registry, request, target, view } = exchange
  const { definition } = registry
  const parameters = writeParameters(exchange, 'UpdateOptions')
  const body = objectOfBody(request, { kind: view.kind, ...parameters })
  auditSent(exchange, body)
  const sent = inNamespace(body, definition.scope === 'Namespaced' ? target.namespace : '')
  checkName(sent, target.name)
  const { stored, created } = await registry.update(
    keyOfTarget(exchange),
    {
      change: (live) => view.written(sent, live),
      endpoint: view.endpoint,
      creates: definition.createOnUpdate && view.endpoint.subresource === '',
      // A Scale is not the object: it changes one field of whatever is there.
      withoutVersion: definition.unconditionalUpdate || !view.whole ? 'taken' : 'refused',
    },
    parameters,
  )
  return objectResponse(exchange, view.show(stored), created ? 201 : 200)
}
