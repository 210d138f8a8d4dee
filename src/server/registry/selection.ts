/** Selectors as the watch cache takes them: absent where they select everything. */

import type { FieldSelector } from '../../machinery/meta/fields.ts'
import type { Selector } from '../../machinery/meta/labels.ts'
import type { Selection } from '../../watch/selection.ts'

interface Selectors {
  /** Empty: all namespaces. */
  readonly namespace: string
  readonly labels?: Selector | undefined
  readonly fields?: FieldSelector | undefined
}

export function selectionOf({ namespace, labels, fields }: Selectors): Selection {
  return {
    namespace: namespace === '' ? undefined : namespace,
    labels: labels && (labels.nothing || labels.requirements.length > 0) ? labels : undefined,
    fields: fields && fields.requirements.length > 0 ? fields : undefined,
  }
}
