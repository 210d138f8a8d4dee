/**
 * NodeRestriction: what the authorizer cannot see, because it stands in the object: nodes write nothing but their own
 * Node, Lease, CSINode and ResourceSlices, the state of their own pods, and tokens for these.
 */

import { pods } from '../../../../apis/core/pod/definition.ts'
import type { Node, PersistentVolumeClaim, Pod } from '../../../../apis/core/types.gen.ts'
import type { Eviction } from '../../../../apis/policy/types.gen.ts'
import { type Awaitable, whenThere } from '../../../../base/awaitable.ts'
import { deepEqual } from '../../../../base/deep-equal.ts'
import { forbiddenRequest, notFound } from '../../../../machinery/meta/api-error.ts'
import type { KubeObject } from '../../../../machinery/meta/object.ts'
import { nodeNameOf } from '../../../auth/node/node-identity.ts'
import type { AdmissionAttributes } from '../../../registry/admission-hooks.ts'
import type { AdmissionPlugin } from '../../plugin.ts'
import { mirrorPodFinding } from './mirror-pods.ts'
import { certificateFinding } from './node-certificates.ts'
import { labelsFinding } from './node-labels.ts'
import { tokenFinding } from './node-tokens.ts'
import type { NodeRestrictionParts, NodeWrite } from './node-write.ts'

/** Why the write is refused; undefined lets it pass. Throws 404 for what is looked up and not there. */
type Rule = (write: NodeWrite) => Awaitable<string | undefined>

export function nodeRestriction(parts: NodeRestrictionParts): AdmissionPlugin {
  const check = (attributes: AdmissionAttributes, object: KubeObject): Awaitable<void> => {
    const { user, definition, name } = attributes
    const node = nodeNameOf(user)
    if (node === undefined) return undefined
    const rule = RULES.get(`${definition.group}/${definition.resource}`)
    const finding =
      node === ''
        ? `could not determine node from user ${JSON.stringify(user.name)}`
        : rule?.({ ...parts, node, attributes, object })
    return whenThere(finding, (text) => {
      if (text !== undefined) throw forbiddenRequest(definition, name || (object.metadata.name ?? ''), text)
    })
  }
  return {
    name: 'NodeRestriction',
    operations: ['CREATE', 'UPDATE', 'DELETE'],
    // Where upstream looks: at what the node sent, before plugins and webhooks that come after add to it.
    mutate: (attributes, object) => whenThere(check(attributes, object), () => object),
    validate(attributes) {
      // What goes is read only where it matters.
      if (attributes.operation !== 'DELETE' || nodeNameOf(attributes.user) === undefined) return undefined
      const { previous } = attributes
      return previous && check(attributes, previous)
    },
  }
}

const RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['/pods', podFinding],
  ['/nodes', nodeFinding],
  ['/persistentvolumeclaims', claimFinding],
  ['/serviceaccounts', tokenFinding],
  ['coordination.k8s.io/leases', leaseFinding],
  ['storage.k8s.io/csinodes', ({ node, object }) => nameFinding(node, object, 'CSINode')],
  ['resource.k8s.io/resourceslices', resourceSliceFinding],
  ['certificates.k8s.io/certificatesigningrequests', certificateFinding],
])

const quoted = JSON.stringify

function podFinding(write: NodeWrite): Awaitable<string | undefined> {
  const { subresource } = write.attributes
  if (subresource === '') return wholePodFinding(write)
  if (subresource === 'status') return podStatusFinding(write)
  if (subresource === 'eviction') return evictionFinding(write)
  return `unexpected pod subresource ${quoted(subresource)}, only 'status' and 'eviction' are allowed`
}

function wholePodFinding(write: NodeWrite): Awaitable<string | undefined> {
  const { node, object, attributes } = write
  if (attributes.operation === 'CREATE') return mirrorPodFinding(write)
  if (attributes.operation !== 'DELETE')
    return `unexpected operation ${quoted(attributes.operation)}, node ${quoted(node)} can only create and delete mirror pods`
  if ((object as Pod).spec?.nodeName === node) return undefined
  return `node ${quoted(node)} can only delete pods with spec.nodeName set to itself`
}

function podStatusFinding({ node, attributes, object }: NodeWrite): string | undefined {
  if (attributes.operation !== 'UPDATE') return `unexpected operation ${quoted(attributes.operation)}`
  // Both are pods: the resource is.
  const [pod, previous] = [object as Pod, attributes.previous as Pod]
  if (previous.spec?.nodeName !== node)
    return `node ${quoted(node)} can only update pod status for pods with spec.nodeName set to itself`
  if (!deepEqual(pod.metadata.labels ?? {}, previous.metadata.labels ?? {}))
    return `node ${quoted(node)} cannot update labels through pod status`
  const { resourceClaimStatuses: claims = [], extendedResourceClaimStatus: extended } = pod.status ?? {}
  if (!deepEqual(claims, previous.status?.resourceClaimStatuses ?? []))
    return `node ${quoted(node)} cannot update resource claim statues`
  if (!deepEqual(extended, previous.status?.extendedResourceClaimStatus))
    return `node ${quoted(node)} cannot update extended resource claim status`
  return undefined
}

async function evictionFinding({ node, attributes, object, view }: NodeWrite): Promise<string | undefined> {
  if (attributes.operation !== 'CREATE') return `unexpected operation ${attributes.operation}`
  const name = attributes.name || (object as Eviction).metadata.name || ''
  if (name === '') return 'could not determine pod from request data'
  const pod = await view.get(pods, { namespace: attributes.namespace, name })
  if (!pod) throw notFound({ group: '', resource: 'pods' }, name)
  return pod.spec?.nodeName === node ? undefined : `node ${node} can only evict pods with spec.nodeName set to itself`
}

function nodeFinding({ node, attributes, object }: NodeWrite): string | undefined {
  const { operation, previous } = attributes
  const name = attributes.name || (object.metadata.name ?? '')
  if (name !== node) return `node ${quoted(node)} is not allowed to modify node ${quoted(name)}`
  const written = object as Node
  if (operation === 'CREATE') return newNodeFinding(node, written)
  return operation === 'UPDATE' ? changedNodeFinding(node, written, previous as Node) : undefined
}

function newNodeFinding(node: string, { metadata, spec }: Node): string | undefined {
  if (spec?.configSource) return `node ${quoted(node)} is not allowed to create pods with a non-nil configSource`
  const labels = labelsFinding(metadata.labels, {})
  return labels && `node ${quoted(node)} is not allowed to set the following labels: ${labels}`
}

function changedNodeFinding(node: string, { metadata, spec }: Node, previous: Node): string | undefined {
  if (spec?.configSource && !deepEqual(spec.configSource, previous.spec?.configSource))
    return `node ${quoted(node)} is not allowed to update configSource to a new non-nil configSource`
  if (!deepEqual(spec?.taints ?? [], previous.spec?.taints ?? []))
    return `node ${quoted(node)} is not allowed to modify taints`
  if (!deepEqual(metadata.ownerReferences ?? [], previous.metadata.ownerReferences ?? []))
    return `node ${quoted(node)} is not allowed to modify ownerReferences`
  const labels = labelsFinding(metadata.labels, previous.metadata.labels)
  return labels && `is not allowed to modify labels: ${labels}`
}

function claimFinding({ node, attributes, object }: NodeWrite): string | undefined {
  if (attributes.subresource !== 'status') return 'may only update PVC status'
  if (attributes.operation !== 'UPDATE') return `unexpected operation ${quoted(attributes.operation)}`
  // Both are claims: the resource is.
  const [claim, previous] = [object, attributes.previous].map((one) => withoutReport(one as PersistentVolumeClaim))
  if (deepEqual(claim, previous)) return undefined
  return `node ${quoted(node)} is not allowed to update fields other than status.quantity and status.conditions`
}

/** Without what a node reports of a claim, and what every write changes. */
function withoutReport(claim: PersistentVolumeClaim): object {
  const { resourceVersion: _version, managedFields: _managed, ...metadata } = claim.metadata
  const {
    capacity: _capacity,
    conditions: _conditions,
    allocatedResources: _allocated,
    allocatedResourceStatuses: _statuses,
    ...status
  } = claim.status ?? {}
  return { ...claim, metadata, status }
}

const LEASES_NAMESPACE = 'kube-node-lease'

function leaseFinding({ node, attributes, object }: NodeWrite): string | undefined {
  if (attributes.namespace !== LEASES_NAMESPACE)
    return `can only access leases in the ${quoted(LEASES_NAMESPACE)} system namespace`
  return nameFinding(node, object, 'node lease')
}

function nameFinding(node: string, { metadata }: KubeObject, what: string): string | undefined {
  return metadata.name === node ? undefined : `can only access ${what} with the same name as the requesting node`
}

function resourceSliceFinding({ node, attributes, object }: NodeWrite): string | undefined {
  const { operation } = attributes
  if (operation === 'UPDATE') return undefined
  const spec: unknown = Reflect.get(object, 'spec')
  const named = typeof spec === 'object' && spec !== null && 'nodeName' in spec ? spec.nodeName : undefined
  return named === node
    ? undefined
    : `can only ${operation.toLowerCase()} ResourceSlice with the same NodeName as the requesting node`
}
