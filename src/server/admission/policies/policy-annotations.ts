/**
 * What policies say for the audit log of one request, under `NAME/KEY`. Different values of one key, from several
 * bindings or parameters, stand behind one another.
 */

import type { AuditTrail } from '../../../machinery/wire/message.ts'
import type { Findings } from './validations.ts'

/** Characters of one value; upstream's limit. */
const VALUE_LENGTH_MAX = 10 * 1_024

export class PolicyAnnotations {
  readonly #values = new Map<string, Set<string>>()

  add(policy: string, annotations: Findings['annotations']): void {
    for (const [key, value] of annotations) {
      const name = `${policy}/${key}`
      const values = this.#values.get(name) ?? new Set()
      this.#values.set(name, values.add(value.slice(0, VALUE_LENGTH_MAX)))
    }
  }

  publish(audit: AuditTrail | undefined): void {
    for (const [name, values] of this.#values) audit?.annotate(name, [...values].join(', '))
  }
}
