/** Warnings about finalizers of custom objects: names that somebody else might use, too. */

import { isQualifiedName } from '../../machinery/meta/names.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'

const STANDARD = ['orphan', 'foregroundDeletion', 'kubernetes']

/** Finalizers are warned of once, when they come. */
export function finalizerWarnings(object: KubeObject, previous: KubeObject | undefined): readonly string[] {
  const known = previous?.metadata.finalizers ?? []
  const added = (object.metadata.finalizers ?? []).filter((name) => !known.includes(name))
  return [...new Set(added)].sort().flatMap((name) => {
    const warn = (text: string): string => `metadata.finalizers: ${JSON.stringify(name)}: ${text}`
    const findings = isQualifiedName(name).map(warn)
    if (name.includes('/') || STANDARD.includes(name)) return findings
    const form = name.includes('.') ? 'finalizer name including a path (/)' : 'finalizer name'
    return [
      ...findings,
      warn(`prefer a domain-qualified ${form} to avoid accidental conflicts with other finalizer writers`),
    ]
  })
}
