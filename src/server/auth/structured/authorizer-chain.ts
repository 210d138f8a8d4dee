/** The authorizers of a cluster as one, in the order of its configuration. Superusers come before all. */

import type { Authorizer, RuleResolver } from '../authorizer.ts'
import { superusers } from '../superusers.ts'
import { unionOf, unionOfRules } from '../union.ts'
import type { AuthorizerConfiguration } from './authorization-configuration.ts'
import { type AuthorizationMetrics, counted } from './authorization-metrics.ts'

export type AuthorizerPart = Authorizer & RuleResolver

/** Where nobody has configured anything. */
export const DEFAULT_AUTHORIZERS: readonly AuthorizerConfiguration[] = [
  { type: 'Node', name: 'node' },
  { type: 'RBAC', name: 'rbac' },
]

/** `makePart` makes those that there may be several of, or that the server cannot make alone. */
export function authorizerChain(
  authorizers: readonly AuthorizerConfiguration[],
  metrics: AuthorizationMetrics,
  partOf: (authorizer: AuthorizerConfiguration) => AuthorizerPart,
): AuthorizerPart {
  const parts = authorizers.map((authorizer) => {
    const { type = '', name = '' } = authorizer
    const part = partOf(authorizer)
    return { part, counted: counted(part, { type, name }, metrics) }
  })
  return {
    ...unionOf([superusers, ...parts.map((each) => each.counted)]),
    ...unionOfRules(parts.map(({ part }) => part)),
  }
}

/** Whoever no other has allowed anything is refused. */
export const alwaysDeny: AuthorizerPart = {
  authorize: () => ({ verdict: 'no-opinion', reason: 'Everything is forbidden.' }),
  rulesOf: () => ({ resourceRules: [], nonResourceRules: [], incomplete: false, error: '' }),
}

/** One that another takes the place of while requests are under way. */
export interface ReplaceableChain extends AuthorizerPart {
  replace(chain: AuthorizerPart): void
}

export function replaceable(first: AuthorizerPart): ReplaceableChain {
  let current = first
  return {
    authorize: (attributes, signal) => current.authorize(attributes, signal),
    rulesOf: (user, namespace) => current.rulesOf(user, namespace),
    replace(chain) {
      current = chain
    },
  }
}
