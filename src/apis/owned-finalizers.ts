/** Which kinds want to know whose a finalizer is: those that are built in, but for a few groups. */

import type { FieldError } from '../machinery/meta/field-error.ts'
import type { KubeObject } from '../machinery/meta/object.ts'
import { metadataPath, validateOwnedFinalizers } from '../machinery/meta/validate-meta.ts'
import type { ResourceDefinition } from './definition.ts'

/** Groups whose kinds take any qualified name. */
const TOLERANT_GROUPS: ReadonlySet<string> = new Set([
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'apiregistration.k8s.io',
  'coordination.k8s.io',
  'events.k8s.io',
  'node.k8s.io',
  'policy',
])

export function finalizerErrors<T extends KubeObject>(
  { group, kind, schemaStamp }: ResourceDefinition<T>,
  { metadata: { finalizers = [] } }: KubeObject,
): readonly FieldError[] {
  if (finalizers.length === 0 || schemaStamp !== undefined || TOLERANT_GROUPS.has(group) || kind === 'Event') return []
  return validateOwnedFinalizers(finalizers, metadataPath.child('finalizers'))
}
