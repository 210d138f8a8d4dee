/** The plugins of the cluster's policy, in order: all that change objects first, then all that refuse them. */

import type { Catalog } from '../../apis/catalog.ts'
import type { ResourceDefinition } from '../../apis/definition.ts'
import { type Awaitable, inTurn, whenThere } from '../../base/awaitable.ts'
import type { Clock } from '../../base/clock.ts'
import { deepFreeze } from '../../base/deep-freeze.ts'
import type { Logger } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import type { Authorization } from '../auth/authorization.ts'
import type { AdmissionAttributes, AdmissionHooks, AdmissionOperation } from '../registry/admission-hooks.ts'
import type { Convert } from './converted.ts'
import type { AdmissionPlugin, AdmissionView, AdmissionWrites } from './plugin.ts'
import { certificateApproval, certificateSigning } from './plugins/certificates/certificate-signers.ts'
import { certificateSubjectRestriction } from './plugins/certificates/certificate-subject.ts'
import { defaultIngressClass } from './plugins/default-ingress-class.ts'
import { defaultTolerationSeconds } from './plugins/default-toleration-seconds.ts'
import { deviceClaims } from './plugins/devices/device-claims.ts'
import { limitRanger } from './plugins/limits/limit-ranger.ts'
import { namespaceLifecycle } from './plugins/namespace-lifecycle.ts'
import { nodeDeclaredFeatures } from './plugins/nodes/declared-features.ts'
import { nodeProxy } from './plugins/nodes/node-proxy.ts'
import { nodeRestriction } from './plugins/nodes/node-restriction.ts'
import { podResize } from './plugins/pod-resize.ts'
import { podSecurity } from './plugins/pod-security/pod-security.ts'
import { podTopologyLabels } from './plugins/pod-topology-labels.ts'
import { policyParameters } from './plugins/policy-parameters.ts'
import { priority } from './plugins/priority.ts'
import { resourceQuota } from './plugins/quota/resource-quota.ts'
import { roleEscalation } from './plugins/role-escalation.ts'
import { runtimeClass } from './plugins/runtime-class.ts'
import { serviceAccount } from './plugins/service-account.ts'
import { claimResize } from './plugins/storage/claim-resize.ts'
import { defaultStorageClass } from './plugins/storage/default-storage-class.ts'
import { storageObjectInUseProtection } from './plugins/storage/in-use-protection.ts'
import { taintNodesByCondition } from './plugins/taint-nodes.ts'
import { mutatingPolicies } from './policies/mutating-policies.ts'
import { validatingPolicies } from './policies/validating-policies.ts'
import { type Rounds, RoundsOfChain } from './rounds.ts'
import type { Equivalents } from './webhooks/invocation.ts'
import { mutatingWebhooks } from './webhooks/mutating-webhooks.ts'
import { validatingWebhooks } from './webhooks/validating-webhooks.ts'
import type { WebhookClient } from './webhooks/webhook-client.ts'

export interface PluginParts {
  readonly view: AdmissionView
  readonly writes: AdmissionWrites
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  /** Other definitions of the same stored objects. */
  readonly equivalents: Equivalents
  readonly convert: Convert
  /** What is served under a kind. */
  readonly byKind: Catalog['byKind']
  readonly webhooks: WebhookClient
  readonly authorization: Authorization
}

/** Upstream's order, for mutating and validating alike. */
export const builtinPlugins = (parts: PluginParts): readonly AdmissionPlugin[] => [
  namespaceLifecycle(parts),
  limitRanger(parts),
  serviceAccount(parts),
  nodeRestriction(parts),
  nodeProxy(parts),
  taintNodesByCondition(),
  podSecurity(parts),
  priority(parts),
  defaultTolerationSeconds(),
  defaultStorageClass(parts),
  storageObjectInUseProtection(),
  claimResize(parts),
  runtimeClass(parts),
  certificateApproval(parts),
  certificateSigning(parts),
  certificateSubjectRestriction(),
  defaultIngressClass(parts),
  podTopologyLabels(parts),
  nodeDeclaredFeatures(parts),
  podResize(parts),
  deviceClaims(parts),
  policyParameters(parts),
  mutatingPolicies(parts),
  mutatingWebhooks(parts),
  validatingPolicies(parts),
  validatingWebhooks(parts),
  resourceQuota(parts),
  roleEscalation(parts),
]

export function admissionChain(plugins: readonly AdmissionPlugin[]): AdmissionHooks {
  const last = plugins.find(({ persist }) => persist !== undefined)
  const concerned = concernedPlugins(plugins)
  return {
    mutate(attributes, object) {
      const { mutating } = concerned(attributes)
      const rounds = new RoundsOfChain()
      return whenThere(mutateOnce(mutating, attributes, object, rounds), (once) => {
        if (!rounds.isSecondWanted) return once
        rounds.startSecond()
        return mutateOnce(mutating, attributes, once, rounds)
      })
    },
    validate: (attributes) =>
      inTurn<AdmissionPlugin, void>(concerned(attributes).validating, undefined, (_, plugin) =>
        plugin.validate?.(attributes),
      ),
    persist: (attributes, write) =>
      last?.persist && last.operations.includes(attributes.operation) ? last.persist(attributes, write) : write([]),
  }
}

/** Without a promise, where no plugin has to wait for anything. */
function mutateOnce(
  plugins: readonly AdmissionPlugin[],
  attributes: AdmissionAttributes,
  object: KubeObject,
  rounds: Rounds,
): Awaitable<KubeObject> {
  let seen = attributes
  return inTurn(plugins, object, (current, plugin) => {
    if (seen.object !== current) seen = { ...attributes, object: current }
    return whenThere(plugin.mutate?.(seen, current, rounds) ?? current, deepFreeze)
  })
}

interface Concerned {
  readonly mutating: readonly AdmissionPlugin[]
  readonly validating: readonly AdmissionPlugin[]
}

/** The plugins that have to do with an operation on a resource; found once for each. */
function concernedPlugins(
  plugins: readonly AdmissionPlugin[],
): (attributes: Pick<AdmissionAttributes, 'operation' | 'definition'>) => Concerned {
  const found = new WeakMap<ResourceDefinition, Map<AdmissionOperation, Concerned>>()
  const find = (operation: AdmissionOperation, { group, resource }: ResourceDefinition): Concerned => {
    const name = `${group}/${resource}`
    const concerned = plugins.filter(
      ({ operations, about }) => operations.includes(operation) && (about === undefined || about.includes(name)),
    )
    return {
      mutating: concerned.filter(({ mutate }) => mutate !== undefined),
      validating: concerned.filter(({ validate }) => validate !== undefined),
    }
  }
  return ({ operation, definition }) => {
    const known = found.get(definition)?.get(operation)
    if (known !== undefined) return known
    const concerned = find(operation, definition)
    const ofDefinition = found.get(definition) ?? new Map<AdmissionOperation, Concerned>()
    found.set(definition, ofDefinition.set(operation, concerned))
    return concerned
  }
}
