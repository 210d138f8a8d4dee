/** Names of kinds and resources: parse and print. The core group is the empty string. */

export interface GroupVersion {
  readonly group: string
  readonly version: string
}

export interface GroupVersionKind extends GroupVersion {
  readonly kind: string
}

export interface GroupVersionResource extends GroupVersion {
  readonly resource: string
}

export function apiVersionOf({ group, version }: GroupVersion): string {
  return group === '' ? version : `${group}/${version}`
}

/** `apps/v1` or `v1`; undefined for anything with more than one slash or an empty part. */
export function parseApiVersion(text: string): GroupVersion | undefined {
  const parts = text.split('/')
  if (parts.some((part) => part === '') || parts.length > 2) return undefined
  const [first = '', second] = parts
  return second === undefined ? { group: '', version: first } : { group: first, version: second }
}

/** `deployments.apps`, or `pods` in the core group: how error messages name a resource. */
export function groupResource(group: string, resource: string): string {
  return group === '' ? resource : `${resource}.${group}`
}
