/** What the checks look at, and how they put what they find. Containers come in the order in which pods start them. */

import type {
  Container,
  EphemeralContainer,
  PodSecurityContext,
  PodSpec,
  SecurityContext,
} from '../../../../apis/core/types.gen.ts'
import { byCodeUnit } from '../../../../base/group-by.ts'

export interface Subject {
  readonly spec: PodSpec
  readonly annotations: Readonly<Record<string, string>>
}

export interface Violation {
  readonly reason: string
  readonly detail: string
}

export type AnyContainer = Container | EphemeralContainer

export function containersOf({ spec }: Subject): readonly AnyContainer[] {
  return [...(spec.initContainers ?? []), ...(spec.containers ?? []), ...(spec.ephemeralContainers ?? [])]
}

export function namesWhere({ spec, ...rest }: Subject, holds: (container: AnyContainer) => boolean): readonly string[] {
  return containersOf({ spec, ...rest })
    .filter(holds)
    .map(({ name }) => name)
}

/** `container "a"`, `containers "a", "b"`. */
export function containersText(names: readonly string[]): string {
  return `${counted(names.length, 'container', 'containers')} ${quoted(names)}`
}

export function quoted(items: readonly string[]): string {
  return items.map((item) => `"${item}"`).join(', ')
}

export function counted(count: number, one: string, many: string): string {
  return count === 1 ? one : many
}

export function sortedSet(items: readonly string[]): readonly string[] {
  return [...new Set(items)].toSorted(byCodeUnit)
}

/** Who sets a field of the security context to something bad: `pod and containers "a", "b"`, and to what. */
export interface Setters {
  readonly text: string
  readonly values: readonly string[]
}

/** `bad` gives the bad values of one security context. Undefined: nobody sets any. */
export function setters(
  subject: Subject,
  bad: (context: PodSecurityContext | SecurityContext) => readonly string[],
): Setters | undefined {
  const own = subject.spec.securityContext ? bad(subject.spec.securityContext) : []
  const containers = containersOf(subject).map(({ name, securityContext }) => ({
    name,
    values: securityContext ? bad(securityContext) : [],
  }))
  const names = containers.filter(({ values }) => values.length > 0).map(({ name }) => name)
  const who = [...(own.length > 0 ? ['pod'] : []), ...(names.length > 0 ? [containersText(names)] : [])]
  if (who.length === 0) return undefined
  return { text: who.join(' and '), values: sortedSet([...own, ...containers.flatMap(({ values }) => values)]) }
}

/** A pod in a user namespace of its own: root in it is nobody outside. */
export function hasUserNamespace({ spec }: Subject): boolean {
  return spec.hostUsers === false
}

export function isWindows({ spec }: Subject): boolean {
  return spec.os?.name === 'windows'
}
