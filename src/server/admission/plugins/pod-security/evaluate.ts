/** A pod against a standard: every violation, in upstream's order and words. */

import { BASELINE } from './baseline.ts'
import type { Check, CheckPod } from './check.ts'
import type { Standard } from './policy.ts'
import { RESTRICTED } from './restricted.ts'
import type { Subject, Violation } from './subject.ts'

export function violationsOf(subject: Subject, { level, minor }: Standard): readonly Violation[] {
  if (level === 'privileged') return []
  const added = level === 'restricted' ? RESTRICTED.filter((check) => versionOf(check, minor)) : []
  const replaced = new Set(added.map(({ replaces }) => replaces))
  const checks = [...BASELINE.filter(({ id }) => !replaced.has(id)), ...added]
  return checks.flatMap((check) => versionOf(check, minor)?.(subject) ?? [])
}

/** Undefined: there was no such check yet. */
function versionOf({ versions }: Check, minor: number): CheckPod | undefined {
  return versions.findLast(({ since }) => since <= minor)?.check
}

/** `allowPrivilegeEscalation != false (container "app" must …), runAsNonRoot != true (…)`. */
export function detailsText(violations: readonly Violation[]): string {
  return violations.map(({ reason, detail }) => (detail === '' ? reason : `${reason} (${detail})`)).join(', ')
}

export function reasonsOf(violations: readonly Violation[]): string {
  return violations.map(({ reason }) => reason).join(', ')
}
