/** `/scale`: an autoscaling/v1 Scale made of the object; writing it changes the number of replicas and nothing else. */

import { builtinSchema } from '../../apis/builtin-schema.ts'
import { ageColumn, textColumn } from '../../apis/columns.ts'
import type { Column, ResourceDefinition, ScaleAccess } from '../../apis/definition.ts'
import { availableReplicas, SCALE_KIND, scaleObject, scaleReplicas } from '../../apis/scale-object.ts'
import { FieldPath, invalidValue } from '../../machinery/meta/field-error.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import { encodeJson } from '../../machinery/wire/json.ts'
import type { Endpoint } from '../registry/endpoint.ts'
import { mainEndpoint } from '../registry/endpoints.ts'
import type { View, ViewKind } from './view.ts'

const COLUMNS: readonly Column[] = [
  textColumn('Name', ({ metadata }) => metadata.name ?? ''),
  { name: 'Desired', type: 'integer', value: scaleReplicas },
  { name: 'Available', type: 'integer', value: availableReplicas },
  ageColumn,
]

/** Undefined for resources that do not scale. */
export function scaleView(definition: ResourceDefinition): View<KubeObject> | undefined {
  const access = definition.scale
  if (!access) return undefined
  const kind: ViewKind = { ...SCALE_KIND, schema: builtinSchema('autoscaling.v1.Scale') }
  return {
    kind,
    endpoint: scaleEndpoint(definition, access),
    whole: false,
    columns: COLUMNS,
    show: (stored) => {
      const scale = scaleObject(stored.object(), access)
      return { bytes: encodeJson(scale), object: () => scale }
    },
    read: (object) => scaleObject(object, access),
    written: (sent, live) => {
      const { uid, resourceVersion } = sent.metadata
      const object = access.withReplicas(live ?? sent, scaleReplicas(sent))
      return { ...object, metadata: { ...object.metadata, resourceVersion, ...(uid ? { uid } : {}) } }
    },
  }
}

function scaleEndpoint(definition: ResourceDefinition, access: ScaleAccess): Endpoint<KubeObject> {
  const main = mainEndpoint(definition)
  return {
    ...main,
    subresource: 'scale',
    kind: SCALE_KIND,
    validate: (object, previous) => {
      const replicas = access.replicas(object)
      if (replicas >= 0) return main.validate(object, previous)
      return [invalidValue(new FieldPath('spec.replicas'), replicas, 'must be greater than or equal to 0')]
    },
    resetFields: definition.resetFields.scale ?? [],
  }
}
