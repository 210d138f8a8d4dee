/** Selectors as the watch cache takes them, with the equalities its indexes are asked for. */

import type { FieldSelector } from '../../machinery/meta/fields.ts'
import type { Selector } from '../../machinery/meta/labels.ts'
import type { Matcher, Selection } from '../../watch/selection.ts'

export function selectionOf({
  namespace,
  labels,
  fields,
}: {
  readonly namespace: string
  readonly labels?: Selector | undefined
  readonly fields?: FieldSelector | undefined
}): Selection {
  return {
    ...(namespace === '' ? {} : { namespace }),
    ...(labels && (labels.nothing || labels.requirements.length > 0) ? { labels: labelMatcher(labels) } : {}),
    ...(fields && fields.requirements.length > 0 ? { fields: fieldMatcher(fields) } : {}),
  }
}

function labelMatcher(selector: Selector): Matcher {
  const equalities = selector.requirements.flatMap(({ key, operator, values }): [string, string][] => {
    const [value] = values
    const equal = operator === '=' || operator === '==' || (operator === 'in' && values.length === 1)
    return equal && value !== undefined ? [[key, value]] : []
  })
  return { matches: (labels) => selector.matches(labels), equalities }
}

function fieldMatcher(selector: FieldSelector): Matcher {
  const equalities = selector.requirements.flatMap(({ field, operator, value }): [string, string][] =>
    operator === '=' ? [[field, value]] : [],
  )
  return { matches: (fields) => selector.matches(fields), equalities }
}
