/** Rights by roles and bindings: additive, so the first rule that allows decides and none can forbid. */

import type { PolicyRule, RoleRef } from '../../../apis/rbac/types.gen.ts'
import type { UserInfo } from '../../../machinery/wire/message.ts'
import {
  type Attributes,
  type Authorizer,
  type Decision,
  NO_OPINION,
  type RuleResolver,
  type Rules,
} from '../authorizer.ts'
import { aggregated } from '../texts.ts'
import { describeGrant } from './binding-index.ts'
import { type Grants, RoleRules } from './role-rules.ts'
import type { RoleSource } from './role-source.ts'
import { ruleAllows } from './rule-match.ts'

/** What roles give, for those who must not give away more than they have. */
export interface RoleRights {
  /** All rules of a user, in a namespace as far as one is named. */
  rightsOf(user: UserInfo, namespace: string): Promise<Rights>
  /** Undefined: there is no such role. */
  rulesOfRole(role: RoleRef, namespace: string): Promise<readonly PolicyRule[] | undefined>
}

export interface Rights {
  readonly rules: readonly PolicyRule[]
  /** Bindings whose roles are missing. */
  readonly errors: readonly string[]
}

export type RbacAuthorizer = Authorizer & RuleResolver & RoleRights

export function rbacAuthorizer(source: RoleSource): RbacAuthorizer {
  const rules = new RoleRules(source)
  const now = (attributes: Attributes): Decision =>
    decide(rules.grantsOf(attributes.user, attributes.namespace), attributes)
  return {
    authorize: (attributes) => (source.isFresh ? now(attributes) : source.whenFresh().then(() => now(attributes))),
    async rulesOf(user, namespace) {
      await source.whenFresh()
      return listed(rules.grantsOf(user, namespace))
    },
    async rightsOf(user, namespace) {
      await source.whenFresh()
      const { grants, errors } = rules.grantsOf(user, namespace)
      return { rules: grants.flatMap((grant) => grant.rules), errors }
    },
    async rulesOfRole(role, namespace) {
      await source.whenFresh()
      return rules.rulesOfRole(role, namespace)
    },
  }
}

function decide({ grants, errors }: Grants, attributes: Attributes): Decision {
  for (const grant of grants)
    for (const rule of grant.rules)
      if (ruleAllows(rule, attributes)) return { verdict: 'allow', reason: `RBAC: allowed by ${describeGrant(grant)}` }
  return errors.length === 0 ? NO_OPINION : { verdict: 'no-opinion', reason: `RBAC: ${aggregated(errors)}` }
}

function listed({ grants, errors }: Grants): Rules {
  const rules = grants.flatMap((grant) => grant.rules)
  return {
    resourceRules: rules.flatMap(({ verbs, apiGroups, resources, resourceNames }) =>
      resources?.length ? [{ verbs, apiGroups, resources, resourceNames }] : [],
    ),
    nonResourceRules: rules.flatMap(({ verbs, nonResourceURLs }) =>
      nonResourceURLs?.length ? [{ verbs, nonResourceURLs }] : [],
    ),
    incomplete: false,
    error: aggregated(errors),
  }
}
