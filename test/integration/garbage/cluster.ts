/** A test cluster, asked for single objects by their keys. */

import type { ResourceDefinition } from '../../../src/apis/definition.ts'
import type { Controller } from '../../../src/controllers/runtime/controller.ts'
import { type KubeObject, keyOf, keyText, type ObjectKey } from '../../../src/machinery/meta/object.ts'
import { createTestCluster, type TestCluster } from '../../support/test-cluster.ts'

export interface ControllerCluster extends TestCluster {
  /** Resolves with the object when it satisfies the condition. */
  until<T extends KubeObject>(
    definition: ResourceDefinition<T>,
    key: ObjectKey,
    holds: (object: T) => boolean,
  ): Promise<T>
  untilGone<T extends KubeObject>(definition: ResourceDefinition<T>, key: ObjectKey): Promise<void>
}

export async function startCluster(controllers: readonly Controller[]): Promise<ControllerCluster> {
  const cluster = await createTestCluster(controllers)
  await cluster.informers.whenSynced()
  const has = (key: ObjectKey) => (object: KubeObject) => keyText(keyOf(object)) === keyText(key)
  return {
    ...cluster,
    until: (definition, key, holds) =>
      cluster.eventually(definition, (objects) => objects.find((object) => has(key)(object) && holds(object))),
    untilGone: async (definition, key) => {
      await cluster.eventually(definition, (objects) => (objects.some(has(key)) ? undefined : true))
    },
  }
}
