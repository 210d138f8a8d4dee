/** Pods from templates: the pod that a controller makes, whether two templates mean the same, a template's hash. */

import { pods } from '../../apis/core/pod/definition.ts'
import { templateSpec } from '../../apis/core/pod/pod-status.ts'
import type { Pod, PodTemplateSpec } from '../../apis/core/types.gen.ts'
import type { ResourceDefinition } from '../../apis/definition.ts'
import { deepEqual } from '../../base/deep-equal.ts'
import { byCodeUnit } from '../../base/group-by.ts'
import { fnv32a } from '../../base/hash.ts'
import type { New } from '../../client/client.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import { type Action, createAction, deleteAction } from '../runtime/action.ts'
import { ownedBy } from '../runtime/claim.ts'
import { isNamespaceTerminating, plannedEvent } from '../runtime/status.ts'

/** A pod of the template that belongs to the owner. Its name is the server's to complete. */
export function podFromTemplate(
  definition: ResourceDefinition,
  owner: KubeObject,
  template: PodTemplateSpec | undefined,
): New<Pod> {
  const { labels, annotations, finalizers } = template?.metadata ?? {}
  const { namespace, name } = owner.metadata
  return {
    metadata: {
      generateName: `${name}-`,
      namespace,
      labels,
      annotations,
      finalizers,
      ownerReferences: [ownedBy(definition, owner)],
    },
    spec: templateSpec(template ?? {}),
  }
}

/** Creates the pod and tells the owner's events. */
export function createPodAction(definition: ResourceDefinition, owner: KubeObject, pod: New<Pod>): Action {
  const event = (type: 'Normal' | 'Warning', reason: string, message: string) =>
    plannedEvent(definition, owner, { type, reason, message })
  return createAction(pods, pod, {
    success: ({ metadata }) => event('Normal', 'SuccessfulCreate', `Created pod: ${metadata.name}`),
    failure: (error) =>
      isNamespaceTerminating(error) ? undefined : event('Warning', 'FailedCreate', `Error creating: ${error.message}`),
  })
}

/** Deletes the pod and tells the owner's events. */
export function deletePodAction(definition: ResourceDefinition, owner: KubeObject, pod: Pod): Action {
  const event = (type: 'Normal' | 'Warning', reason: string, message: string) =>
    plannedEvent(definition, owner, { type, reason, message })
  return deleteAction(pods, pod, {
    success: () => event('Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`),
    failure: (error) => event('Warning', 'FailedDelete', `Error deleting: ${error.message}`),
  })
}

/** Equal but for what only the writer of the JSON decided: null, an empty list or an empty map for an absent one. */
export function sameTemplate(left: PodTemplateSpec | undefined, right: PodTemplateSpec | undefined): boolean {
  return deepEqual(left, right) || deepEqual(withoutEmpty(left), withoutEmpty(right))
}

/** A short text that changes with the template, of letters and digits that spell no word. */
export function templateHash(template: unknown, collisionCount: number | undefined): string {
  const text = JSON.stringify(withoutEmpty(template)) + (collisionCount ?? '')
  return [...String(fnv32a(text))].map((digit) => SAFE_DIGITS[Number(digit)]).join('')
}

/** As upstream encodes digits: names look familiar. */
const SAFE_DIGITS = '456789bcdf'

/** Fields that are maps of strings: empty means absent. For other objects it can mean something: `emptyDir: {}`. */
const MAPS: ReadonlySet<string> = new Set([
  'labels',
  'annotations',
  'nodeSelector',
  'matchLabels',
  'limits',
  'requests',
  'overhead',
])

/** Without nulls and what is empty, keys in order: equal values become equal texts. */
function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value)
    .filter(([key, field]) => !isEmpty(key, field))
    .sort(([left], [right]) => byCodeUnit(left, right))
  return Object.fromEntries(entries.map(([key, field]) => [key, withoutEmpty(field)]))
}

function isEmpty(key: string, field: unknown): boolean {
  if (field === null || field === undefined) return true
  if (Array.isArray(field)) return field.length === 0
  return typeof field === 'object' && MAPS.has(key) && Object.keys(field).length === 0
}
