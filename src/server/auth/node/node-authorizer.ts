/**
 * What nodes may do: read what the pods bound to them need, write what is theirs, and whatever all nodes may by the role
 * `system:node`. Where the name or the content of a new object decides, NodeRestriction looks at it in admission.
 */

import {
  ALLOWED,
  type Attributes,
  type Authorizer,
  type Decision,
  NO_OPINION,
  type RuleResolver,
} from '../authorizer.ts'
import { nodeRules } from '../rbac/bootstrap-roles.ts'
import { ruleAllows } from '../rbac/rule-match.ts'
import { nodeNameOf } from './node-identity.ts'
import { isRelated, type NodeObjects, type RelatedKind } from './node-objects.ts'

interface Asked extends Attributes {
  readonly node: string
}

type Rule = (objects: NodeObjects, asked: Asked) => Decision

export function nodeAuthorizer(objects: NodeObjects): Authorizer & RuleResolver {
  const common = nodeRules()
  const now = (asked: Asked): Decision => {
    const own = asked.resource === '' ? undefined : RULES.get(`${asked.group}/${asked.resource}`)
    if (own) return own(objects, asked)
    return common.some((rule) => ruleAllows(rule, asked)) ? ALLOWED : NO_OPINION
  }
  return {
    authorize(attributes) {
      const node = nodeNameOf(attributes.user)
      if (node === undefined) return NO_OPINION
      if (node === '') return no(`unknown node for user ${JSON.stringify(attributes.user.name)}`)
      const asked = { ...attributes, node }
      return objects.isFresh ? now(asked) : objects.whenFresh().then(() => now(asked))
    },
    rulesOf(user) {
      const isNode = nodeNameOf(user) !== undefined
      const error = isNode ? 'node authorizer does not support user rule resolution' : ''
      return { resourceRules: [], nonResourceRules: [], incomplete: isNode, error }
    },
  }
}

const no = (reason: string): Decision => ({ verdict: 'no-opinion', reason })

const RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['/secrets', (objects, asked) => readNamed(objects, asked, 'secrets')],
  ['/configmaps', (objects, asked) => readNamed(objects, asked, 'configmaps')],
  ['/persistentvolumeclaims', volumeClaims],
  ['/persistentvolumes', (objects, asked) => getOne(objects, asked, 'persistentvolumes')],
  ['resource.k8s.io/resourceclaims', (objects, asked) => getOne(objects, asked, 'resourceclaims')],
  ['storage.k8s.io/volumeattachments', (objects, asked) => getOne(objects, asked, 'volumeattachments')],
  ['/serviceaccounts', serviceAccounts],
  ['coordination.k8s.io/leases', leases],
  ['storage.k8s.io/csinodes', csiNodes],
  ['resource.k8s.io/resourceslices', resourceSlices],
  ['/nodes', nodes],
  ['/pods', pods],
])

function related(objects: NodeObjects, { node, namespace, name }: Asked, kind: RelatedKind): Decision {
  if (name === '') return no('No Object name found')
  if (isRelated(objects, node, kind, namespace === '' ? { name } : { namespace, name })) return ALLOWED
  return no(`no relationship found between node '${node}' and this object`)
}

function getOne(objects: NodeObjects, asked: Asked, kind: RelatedKind): Decision {
  if (asked.verb !== 'get') return no('can only get individual resources of this type')
  return asked.subresource === '' ? related(objects, asked, kind) : no('cannot get subresource')
}

const READING: ReadonlySet<string> = new Set(['get', 'list', 'watch'])

function readNamed(objects: NodeObjects, asked: Asked, kind: RelatedKind): Decision {
  if (!READING.has(asked.verb)) return no('can only read resources of this type')
  if (asked.subresource !== '') return no('cannot read subresource')
  if (asked.namespace === '') return no('can only read namespaced object of this type')
  return related(objects, asked, kind)
}

const CHANGING: ReadonlySet<string> = new Set(['update', 'patch'])

function volumeClaims(objects: NodeObjects, asked: Asked): Decision {
  if (asked.subresource !== 'status') return getOne(objects, asked, 'persistentvolumeclaims')
  if (!CHANGING.has(asked.verb)) return no('can only get/update/patch this type')
  return related(objects, asked, 'persistentvolumeclaims')
}

function serviceAccounts(objects: NodeObjects, asked: Asked): Decision {
  const { verb, name, subresource } = asked
  if (verb === 'get' && subresource === '') return readNamed(objects, asked, 'serviceaccounts')
  if (verb !== 'create' || name === '') return no('can only create tokens for individual service accounts')
  if (subresource !== 'token') return no('can only create token subresource of serviceaccount')
  return related(objects, asked, 'serviceaccounts')
}

const OWNING: ReadonlySet<string> = new Set(['get', 'create', 'update', 'patch', 'delete'])
const LEASES_NAMESPACE = 'kube-node-lease'

function leases(_: NodeObjects, { node, verb, namespace, name }: Asked): Decision {
  if (!OWNING.has(verb)) return no('can only get, create, update, patch, or delete a node lease')
  if (namespace !== LEASES_NAMESPACE)
    return no(`can only access leases in the ${JSON.stringify(LEASES_NAMESPACE)} system namespace`)
  if (verb !== 'create' && name !== node)
    return no('can only access node lease with the same name as the requesting node')
  return ALLOWED
}

function csiNodes(_: NodeObjects, { node, verb, name, subresource }: Asked): Decision {
  if (!OWNING.has(verb)) return no('can only get, create, update, patch, or delete a CSINode')
  if (subresource !== '') return no('cannot authorize CSINode subresources')
  if (verb !== 'create' && name !== node) return no('can only access CSINode with the same name as the requesting node')
  return ALLOWED
}

function isLimitedToNode({ fields, node }: Asked, field: string): boolean {
  const requirements = fields?.requirements ?? []
  return requirements.some((one) => one.field === field && one.operator === '=' && one.value === node)
}

function resourceSlices(objects: NodeObjects, asked: Asked): Decision {
  const { verb, subresource } = asked
  if (subresource !== '') return no('cannot authorize ResourceSlice subresources')
  if (verb === 'create') return ALLOWED
  if (OWNING.has(verb)) return related(objects, asked, 'resourceslices')
  if (verb !== 'list' && verb !== 'watch' && verb !== 'deletecollection')
    return no(
      'only the following verbs are allowed for a ResourceSlice: ' +
        'get, watch, list, create, update, patch, delete, deletecollection',
    )
  if (isLimitedToNode(asked, 'spec.nodeName')) return ALLOWED
  return no('can only list/watch/deletecollection resourceslices with nodeName field selector')
}

/** Its own object may be asked for before it is there. */
function nodes(_: NodeObjects, { node, verb, name, subresource }: Asked): Decision {
  if (subresource === 'status') return CHANGING.has(verb) ? ALLOWED : NO_OPINION
  if (subresource !== '') return NO_OPINION
  if (verb === 'create' || CHANGING.has(verb)) return ALLOWED
  if (!READING.has(verb)) return NO_OPINION
  if (name === node) return ALLOWED
  if (name === '') return no(`node '${node}' cannot read all nodes, only its own Node object`)
  return no(`node '${node}' cannot read '${name}', only its own Node object`)
}

function pods(objects: NodeObjects, asked: Asked): Decision {
  const { verb, name, subresource } = asked
  if (subresource === 'status') return CHANGING.has(verb) ? ALLOWED : NO_OPINION
  if (subresource === 'eviction') return verb === 'create' ? ALLOWED : NO_OPINION
  if (subresource !== '') return NO_OPINION
  if (verb === 'get') return related(objects, asked, 'pods')
  if (verb === 'create' || verb === 'delete') return ALLOWED
  if (verb !== 'list' && verb !== 'watch') return NO_OPINION
  if (isLimitedToNode(asked, 'spec.nodeName')) return ALLOWED
  if (name !== '') return related(objects, asked, 'pods')
  return no('can only list/watch pods with spec.nodeName field selector')
}
