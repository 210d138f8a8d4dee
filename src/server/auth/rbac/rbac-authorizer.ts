/** Rights by roles and bindings: additive, so the first rule that allows decides and none can forbid. */

import {
  type Attributes,
  type Authorizer,
  type Decision,
  NO_OPINION,
  type RuleResolver,
  type Rules,
} from '../authorizer.ts'
import { aggregated } from '../union.ts'
import { describeGrant } from './binding-index.ts'
import { type Grants, RoleRules } from './role-rules.ts'
import type { RoleSource } from './role-source.ts'
import { ruleAllows } from './rule-match.ts'

export function rbacAuthorizer(source: RoleSource, rules = new RoleRules(source)): Authorizer & RuleResolver {
  const now = (attributes: Attributes): Decision =>
    decide(rules.grantsOf(attributes.user, attributes.namespace), attributes)
  return {
    authorize: (attributes) => (source.isFresh ? now(attributes) : source.whenFresh().then(() => now(attributes))),
    async rulesOf(user, namespace) {
      await source.whenFresh()
      return listed(rules.grantsOf(user, namespace))
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
