/** What the rules about nodes look at. */

import type { KubeObject } from '../../../../machinery/meta/object.ts'
import type { Authorization } from '../../../auth/authorization.ts'
import type { AdmissionAttributes } from '../../../registry/admission-hooks.ts'
import type { AdmissionView } from '../../plugin.ts'

export interface NodeRestrictionParts {
  readonly view: AdmissionView
  readonly authorization: Authorization
}

/** A write by a node. */
export interface NodeWrite extends NodeRestrictionParts {
  readonly node: string
  readonly attributes: AdmissionAttributes
  /** What is written; for deletions what was there. */
  readonly object: KubeObject
}
