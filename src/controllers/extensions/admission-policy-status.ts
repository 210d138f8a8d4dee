/** validatingadmissionpolicy-status-controller: says once for each generation of a policy whether its types fit. */

import type { ExpressionWarning, ValidatingAdmissionPolicy } from '../../apis/admissionregistration/types.gen.ts'
import { validatingAdmissionPolicies } from '../../apis/admissionregistration/validating-admission-policy.ts'
import { customResourceDefinitions } from '../../apis/apiextensions/custom-resource-definition.ts'
import { versionSchema } from '../../apis/apiextensions/definition-from-crd.ts'
import type { CustomResourceDefinition } from '../../apis/apiextensions/types.gen.ts'
import { builtinResources } from '../../apis/builtin.ts'
import { updateStatusAction } from '../runtime/action.ts'
import { type Cache, defineController, type Plan } from '../runtime/controller.ts'
import { type KnownKind, type KnownKinds, typeWarnings } from './policy-types.ts'

export interface PolicyStatusView {
  readonly policy: ValidatingAdmissionPolicy
  readonly warnings: readonly ExpressionWarning[]
}

export const admissionPolicyStatusController = defineController({
  name: 'validatingadmissionpolicy-status-controller',
  reconciles: validatingAdmissionPolicies,
  // Definitions are looked up. One that comes later does not make a policy be looked at again.
  watches: [{ definition: customResourceDefinitions, keysOf: () => [] }],
  observe: (cache, key): PolicyStatusView | undefined => {
    const policy = cache.get(validatingAdmissionPolicies, key)
    const { generation = 0 } = policy?.metadata ?? {}
    if (policy === undefined || generation <= (policy.status?.observedGeneration ?? 0)) return undefined
    return { policy, warnings: typeWarnings(policy, knownKinds(cache)) }
  },
  plan: planPolicyStatus,
})

export function planPolicyStatus({ policy, warnings }: PolicyStatusView): Plan {
  const { generation } = policy.metadata
  const typeChecking = warnings.length === 0 ? {} : { expressionWarnings: warnings }
  const status = { ...policy.status, observedGeneration: generation, typeChecking }
  return { actions: [updateStatusAction(validatingAdmissionPolicies, { ...policy, status })] }
}

/** What is built in, and what is defined now. */
function knownKinds(cache: Cache): KnownKinds {
  const find = (group: string, isWanted: (kind: KnownKind) => boolean): KnownKind | undefined =>
    builtinResources.find((kind) => kind.group === group && isWanted(kind)) ??
    customKinds(cache.list(customResourceDefinitions), group).find(isWanted)
  return {
    ofResource: (group, version, resource) =>
      find(group, (kind) => kind.version === version && kind.resource === resource),
    ofKind: (group, version, name) => find(group, (kind) => kind.version === version && kind.kind === name),
  }
}

function customKinds(definitions: readonly CustomResourceDefinition[], group: string): readonly KnownKind[] {
  return definitions
    .filter(({ spec }) => spec.group === group)
    .flatMap((definition) =>
      definition.spec.versions
        .filter(({ served }) => served)
        .map((version) => ({
          group,
          version: version.name,
          resource: definition.spec.names.plural,
          kind: definition.spec.names.kind,
          schema: versionSchema(definition, version),
        })),
    )
}
