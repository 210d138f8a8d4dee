/**
 * Finds the flow schema of a request. Who asks decides most of it: for each user the schemas that concern them are
 * kept, so that a request is compared with a few rules and not with all.
 */

import type { FlowSchemaSpec, PolicyRulesWithSubjects } from '../../apis/flowcontrol/types.gen.ts'
import type { UserInfo } from '../../machinery/wire/message.ts'
import type { RequestTarget } from '../auth/authorizer.ts'
import { isForTarget, isForUser } from './schema-matching.ts'

/** Users whose schemas are remembered, about 300 bytes each; with one more all are forgotten, which is rare and cheap. */
const USERS_MAX = 2_000

export interface Schema {
  readonly spec: FlowSchemaSpec
}

export class Classifier<S extends Schema> {
  /** In the order in which they are asked. */
  readonly #schemas: readonly S[]
  readonly #fallback: S
  readonly #users = new Map<string, Remembered<S>>()

  /** `fallback`: for whom no schema is. */
  constructor(schemas: readonly S[], fallback: S) {
    this.#schemas = schemas
    this.#fallback = fallback
  }

  schemaOf(user: UserInfo, target: RequestTarget): S {
    for (const { schema, rules } of this.#candidates(user))
      for (const rule of rules) if (isForTarget(rule, target)) return schema
    return this.#fallback
  }

  #candidates(user: UserInfo): readonly Candidate<S>[] {
    const known = this.#users.get(user.name)
    if (known && sameGroups(known.groups, user.groups)) return known.candidates
    const candidates = this.#schemas.flatMap((schema) => {
      const rules = (schema.spec.rules ?? []).filter((rule) => isForUser(rule, user))
      return rules.length === 0 ? [] : [{ schema, rules }]
    })
    if (this.#users.size >= USERS_MAX) this.#users.clear()
    this.#users.set(user.name, { groups: user.groups, candidates })
    return candidates
  }
}

interface Candidate<S> {
  readonly schema: S
  readonly rules: readonly PolicyRulesWithSubjects[]
}

interface Remembered<S> {
  readonly groups: readonly string[]
  readonly candidates: readonly Candidate<S>[]
}

function sameGroups(left: readonly string[], right: readonly string[]): boolean {
  return left === right || (left.length === right.length && left.every((group, index) => group === right[index]))
}
