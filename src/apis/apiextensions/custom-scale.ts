/** `/scale` of custom resources: where an object keeps its numbers of replicas is the definition's to say. */

import { setOwn } from '../../base/deep-freeze.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import type { ScaleAccess } from '../definition.ts'
import type { CustomResourceSubresourceScale } from './types.gen.ts'

export function customScale(scale: CustomResourceSubresourceScale | undefined): ScaleAccess | undefined {
  if (scale === undefined) return undefined
  const spec = namesOf(scale.specReplicasPath)
  const status = namesOf(scale.statusReplicasPath)
  const selector = scale.labelSelectorPath ? namesOf(scale.labelSelectorPath) : undefined
  const numberAt = (object: KubeObject, names: readonly string[]): number => {
    const value = valueAt(object, names)
    return typeof value === 'number' ? value : 0
  }
  return {
    replicas: (object) => numberAt(object, spec),
    statusReplicas: (object) => numberAt(object, status),
    selector: (object) => {
      const value = selector && valueAt(object, selector)
      return typeof value === 'string' ? value : ''
    },
    // Only a field below the spec changes: it is the object it was.
    withReplicas: (object, replicas) => withValueAt(object, spec, replicas) as KubeObject,
  }
}

/** `.spec.replicas` → `spec`, `replicas`. */
function namesOf(path: string): readonly string[] {
  return path.replace(/^\./, '').split('.')
}

/** The value at simple names; undefined where there is none. */
export function valueAt(value: unknown, names: readonly string[]): unknown {
  let current = value
  for (const name of names) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, name)) return undefined
    current = Reflect.get(current, name)
  }
  return current
}

function withValueAt(value: unknown, [name, ...rest]: readonly string[], replacement: unknown): unknown {
  if (name === undefined) return replacement
  const copy: Record<string, unknown> = typeof value === 'object' && value !== null ? { ...value } : {}
  setOwn(copy, name, withValueAt(Object.hasOwn(copy, name) ? copy[name] : undefined, rest, replacement))
  return copy
}
