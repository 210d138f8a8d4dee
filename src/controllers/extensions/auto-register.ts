/**
 * autoregister: keeps an APIService for every served version of a custom resource's group, and takes it away with the
 * last of them. Those of the server's own groups are made when it starts.
 */

import { customResourceDefinitions } from '../../apis/apiextensions/custom-resource-definition.ts'
import type { CustomResourceDefinition } from '../../apis/apiextensions/types.gen.ts'
import { apiServices } from '../../apis/apiregistration/api-service.ts'
import { AUTOMANAGED_LABEL, apiServiceName, customApiService } from '../../apis/apiregistration/automanaged.ts'
import type { APIService } from '../../apis/apiregistration/types.gen.ts'
import { deepEqual } from '../../base/deep-equal.ts'
import { createAction, deleteAction, updateAction } from '../runtime/action.ts'
import { type Cache, defineController, type Plan } from '../runtime/controller.ts'

export interface RegistrationView {
  readonly current: APIService | undefined
  /** Undefined: no custom resource is served under this group and version. */
  readonly wanted: APIService | undefined
}

export const autoRegisterController = defineController({
  name: 'autoregister',
  reconciles: apiServices,
  watches: [{ definition: customResourceDefinitions, keysOf: registrationsOf }],
  observe: (cache, { name }): RegistrationView => ({
    current: cache.get(apiServices, { name }),
    wanted: wanted(cache, name),
  }),
  plan: planRegistration,
})

function registrationsOf(definition: CustomResourceDefinition) {
  return versionsOf(definition).map((groupVersion) => ({ name: apiServiceName(groupVersion) }))
}

function versionsOf({ spec }: CustomResourceDefinition) {
  return spec.versions.map(({ name, served }) => ({ group: spec.group, version: name, served }))
}

function wanted(cache: Cache, name: string): APIService | undefined {
  const served = cache
    .list(customResourceDefinitions)
    .flatMap(versionsOf)
    .find((version) => version.served && apiServiceName(version) === name)
  return served && customApiService(served)
}

export function planRegistration({ current, wanted: service }: RegistrationView): Plan {
  if (current === undefined) return { actions: service === undefined ? [] : [createAction(apiServices, service)] }
  // Whoever registers another server under this name takes the label away, and then it is theirs.
  if (current.metadata.labels?.[AUTOMANAGED_LABEL] !== 'true') return { actions: [] }
  if (service === undefined) return { actions: [deleteAction(apiServices, current)] }
  if (deepEqual(current.spec, service.spec)) return { actions: [] }
  return { actions: [updateAction(apiServices, { ...current, spec: service.spec })] }
}
