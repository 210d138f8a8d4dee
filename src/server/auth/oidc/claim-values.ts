/**
 * Claims as expressions see them. Numbers are doubles, whole ones too, and names that are no words of the language are
 * reached by their escaped form at every depth: `claims.kubernetes__dot__io.pod__dash__name`.
 */

import { unescapeFieldName } from '../../../machinery/cel/field-names.ts'
import { type CelValue, ListValue, MapValue } from '../../../machinery/cel/values.ts'
import type { Claims } from './id-token.ts'

export function valueOfClaims(claims: Claims): CelValue {
  return new ClaimsValue(claims)
}

function fromJson(json: unknown): CelValue {
  if (typeof json === 'number' || typeof json === 'string' || typeof json === 'boolean') return json
  if (Array.isArray(json)) return new ClaimList(json)
  return typeof json === 'object' && json !== null ? new ClaimsValue(json as Claims) : null
}

class ClaimsValue extends MapValue {
  private readonly claims: Claims

  constructor(claims: Claims) {
    super()
    this.claims = claims
  }

  get size(): number {
    return Object.keys(this.claims).length
  }

  get(key: CelValue): CelValue | undefined {
    if (typeof key !== 'string') return undefined
    const name = unescapeFieldName(key) ?? key
    return Object.hasOwn(this.claims, name) ? fromJson(this.claims[name]) : undefined
  }

  keys(): Iterable<CelValue> {
    return Object.keys(this.claims)
  }
}

class ClaimList extends ListValue {
  private readonly json: readonly unknown[]

  constructor(json: readonly unknown[]) {
    super()
    this.json = json
  }

  get length(): number {
    return this.json.length
  }

  at(index: number): CelValue {
    return fromJson(this.json[index])
  }
}
