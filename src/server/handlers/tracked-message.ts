/** Messages that are acted on and not stored are answered with a note of who set what, as if they had been created. */

import { apiVersionOf } from '../../machinery/meta/group-version.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import { formatTime } from '../../machinery/meta/time.ts'
import { trackUpdate } from '../../machinery/patch/managed-fields.ts'
import type { WriteOptions } from '../registry/context.ts'
import type { Exchange } from './exchange.ts'
import type { ViewKind } from './view.ts'

export function trackedMessage<T extends KubeObject>(
  { clock, target }: Exchange,
  kind: ViewKind,
  message: T,
  { fieldManager }: Pick<WriteOptions, 'fieldManager'>,
): T {
  return trackUpdate({
    live: undefined,
    updated: message,
    manager: fieldManager,
    operation: 'Update',
    apiVersion: apiVersionOf(kind),
    subresource: target.subresource,
    nowText: formatTime(clock.now()),
    schema: kind.schema,
    resetFields: [],
  })
}
