/** Who set which field: the registry's use of managed fields. */

import { apiVersionOf } from '../../machinery/meta/group-version.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import { formatTime } from '../../machinery/meta/time.ts'
import { trackUpdate } from '../../machinery/patch/managed-fields.ts'
import type { RegistryContext, WriteOptions } from './context.ts'
import type { Endpoint } from './endpoint.ts'

export function trackCreate<T extends KubeObject>(
  context: RegistryContext<T>,
  object: T,
  { fieldManager }: WriteOptions,
): T {
  const resetFields = context.definition.resetFields[''] ?? []
  return tracked(context, { live: undefined, updated: object, fieldManager, subresource: '', resetFields })
}

export function trackUpdateOf<T extends KubeObject>(
  context: RegistryContext<T>,
  change: { readonly object: T; readonly live: T; readonly endpoint: Endpoint<T> },
  { fieldManager }: Pick<WriteOptions, 'fieldManager'>,
): T {
  const { subresource, resetFields } = change.endpoint
  return tracked(context, { live: change.live, updated: change.object, fieldManager, subresource, resetFields })
}

interface Change<T extends KubeObject> {
  readonly live: T | undefined
  readonly updated: T
  readonly fieldManager: string
  readonly subresource: string
  readonly resetFields: Endpoint<T>['resetFields']
}

function tracked<T extends KubeObject>({ definition, clock }: RegistryContext<T>, change: Change<T>): T {
  return trackUpdate({
    live: change.live,
    updated: change.updated,
    manager: change.fieldManager,
    operation: 'Update',
    apiVersion: apiVersionOf(definition),
    subresource: change.subresource,
    nowText: formatTime(clock.now()),
    schema: definition.schema,
    resetFields: change.resetFields,
  })
}
