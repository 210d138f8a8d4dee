/** `/scale`: an autoscaling/v1 Scale made of the object; writing it changes the number of replicas and nothing else. */

import { builtinSchema } from '../../apis/builtin-schema.ts'
import type { ResourceDefinition, ScaleAccess } from '../../apis/definition.ts'
import { FieldPath, invalidValue } from '../../machinery/meta/field-error.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import { encodeJson } from '../../machinery/wire/json.ts'
import type { Endpoint } from '../registry/endpoint.ts'
import { mainEndpoint } from '../registry/endpoints.ts'
import { isRecord } from './body.ts'
import type { View, ViewKind } from './view.ts'

const SCALE_KIND = { group: 'autoscaling', version: 'v1', kind: 'Scale' } as const

/** Undefined for resources that do not scale. */
export function scaleView(definition: ResourceDefinition): View<KubeObject> | undefined {
  const access = definition.scale
  if (!access) return undefined
  const kind: ViewKind = { ...SCALE_KIND, schema: builtinSchema('autoscaling.v1.Scale') }
  return {
    kind,
    endpoint: scaleEndpoint(definition, access),
    whole: false,
    show: (stored) => {
      const scale = scaleOf(stored.object(), access)
      return { bytes: encodeJson(scale), object: () => scale }
    },
    read: (object) => scaleOf(object, access),
    written: (sent, live) => {
      const { uid, resourceVersion } = sent.metadata
      const object = access.withReplicas(live ?? sent, replicasOf(sent))
      return { ...object, metadata: { ...object.metadata, resourceVersion, ...(uid ? { uid } : {}) } }
    },
  }
}

function scaleEndpoint(definition: ResourceDefinition, access: ScaleAccess): Endpoint<KubeObject> {
  const main = mainEndpoint(definition)
  return {
    ...main,
    subresource: 'scale',
    validate: (object, previous) => {
      const replicas = access.replicas(object)
      if (replicas >= 0) return main.validate(object, previous)
      return [invalidValue(new FieldPath('spec.replicas'), replicas, 'must be greater than or equal to 0')]
    },
    resetFields: definition.resetFields.scale ?? [],
  }
}

function scaleOf(object: KubeObject, access: ScaleAccess): KubeObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata
  const selector = access.selector(object)
  const scale = {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: access.replicas(object) },
    status: { replicas: access.statusReplicas(object), ...(selector === '' ? {} : { selector }) },
  }
  return scale
}

function replicasOf(sent: KubeObject): number {
  const spec: unknown = Reflect.get(sent, 'spec')
  return isRecord(spec) && typeof spec.replicas === 'number' ? spec.replicas : 0
}
