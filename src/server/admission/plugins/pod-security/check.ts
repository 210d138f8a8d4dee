/** What a check of the pod security standards is. */

import type { Subject, Violation } from './subject.ts'

export type CheckPod = (subject: Subject) => Violation | undefined

export interface Check {
  /** Upstream's name. */
  readonly id: string
  /** How the check goes from a minor version on, the earliest first. */
  readonly versions: readonly { readonly since: number; readonly check: CheckPod }[]
  /** A baseline check that is left out where this one counts. */
  readonly replaces?: string | undefined
}
