/** What of an object the cases look at, and the questions they ask more than once. */

import type { Kubectl } from '../../kubectl/support/kubectl.ts'

export interface LiveObject {
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly uid: string
    readonly generation?: number
    readonly creationTimestamp: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
    readonly managedFields?: readonly ManagedFields[]
  }
  readonly data?: Readonly<Record<string, string>>
  readonly spec?: Readonly<Record<string, unknown>>
  readonly status?: Readonly<Record<string, unknown>>
}

interface ManagedFields {
  readonly manager: string
  readonly operation: string
  readonly subresource?: string
  readonly fieldsV1: object
}

/** `what` is such as `configmap settings`. */
export async function liveObject(kubectl: Kubectl, what: string): Promise<LiveObject> {
  return JSON.parse(await kubectl.ok(`get ${what} -o json --show-managed-fields`))
}

/** `what` is such as `pods -l app=web`. */
export async function liveObjects(kubectl: Kubectl, what: string): Promise<readonly LiveObject[]> {
  return JSON.parse(await kubectl.ok(`get ${what} -o json`)).items
}

/** Such as `deployment.apps/web`, of those that are there, in order. */
export async function namesOf(kubectl: Kubectl, what: string): Promise<readonly string[]> {
  const names = await kubectl.ok(`get ${what} -o name --ignore-not-found`)
  return names
    .split('\n')
    .filter((name) => name !== '')
    .sort()
}

/** Who owns fields of the object itself, or those that were written through a subresource: `helm Apply`, in order. */
export function managersOf({ metadata }: LiveObject, subresource?: string): readonly string[] {
  const entries = (metadata.managedFields ?? []).filter((entry) => entry.subresource === subresource)
  return entries.map(({ manager, operation }) => `${manager} ${operation}`).sort()
}
