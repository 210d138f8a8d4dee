/**
 * Who writes admission policies must be allowed to read what they take their parameters from: expressions could tell
 * it to anyone. Upstream finds this while it checks the object, so refusals look as if the object were wrong.
 */

import {
  mutatingAdmissionPolicyBindings,
  validatingAdmissionPolicyBindings,
} from '../../../apis/admissionregistration/admission-policy-bindings.ts'
import { mutatingAdmissionPolicies } from '../../../apis/admissionregistration/mutating-admission-policy.ts'
import type { ParamKind, ParamRef } from '../../../apis/admissionregistration/types.gen.ts'
import { validatingAdmissionPolicies } from '../../../apis/admissionregistration/validating-admission-policy.ts'
import type { Catalog } from '../../../apis/catalog.ts'
import type { ResourceDefinition } from '../../../apis/definition.ts'
import { deepEqual } from '../../../base/deep-equal.ts'
import { invalid } from '../../../machinery/meta/api-error.ts'
import { FieldPath, forbidden } from '../../../machinery/meta/field-error.ts'
import { parseApiVersion } from '../../../machinery/meta/group-version.ts'
import type { KubeObject } from '../../../machinery/meta/object.ts'
import type { UserInfo } from '../../../machinery/wire/message.ts'
import type { Authorization } from '../../auth/authorization.ts'
import type { AdmissionAttributes } from '../../registry/admission-hooks.ts'
import type { AdmissionPlugin, AdmissionView } from '../plugin.ts'

interface Parts {
  readonly view: AdmissionView
  readonly authorization: Authorization
  readonly byKind: Catalog['byKind']
}

/** Both kinds of policies, as far as they are read here. */
interface Policy extends KubeObject {
  readonly spec: { readonly paramKind?: ParamKind | undefined }
}

interface Binding extends KubeObject {
  readonly spec: { readonly policyName: string; readonly paramRef?: ParamRef | undefined }
}

const GROUP = validatingAdmissionPolicies.group
const POLICIES: readonly string[] = [validatingAdmissionPolicies.resource, mutatingAdmissionPolicies.resource]
/** The policies of bindings. */
const POLICIES_OF: ReadonlyMap<string, ResourceDefinition<Policy>> = new Map([
  // Of their specs only what both kinds have is read.
  [validatingAdmissionPolicyBindings.resource, validatingAdmissionPolicies as unknown as ResourceDefinition<Policy>],
  [mutatingAdmissionPolicyBindings.resource, mutatingAdmissionPolicies as unknown as ResourceDefinition<Policy>],
])

export function policyParameters(parts: Parts): AdmissionPlugin {
  return {
    name: 'PolicyParameters',
    operations: ['CREATE', 'UPDATE'],
    about: [...POLICIES, ...POLICIES_OF.keys()].map((resource) => `${GROUP}/${resource}`),
    async validate(attributes) {
      const { definition, subresource, object, previous } = attributes
      if (definition.group !== GROUP || subresource !== '' || object === undefined) return
      // By its definition the object is of this kind.
      if (POLICIES.includes(definition.resource))
        return checkPolicy(parts, attributes, object as Policy, previous as Policy | undefined)
      const policies = POLICIES_OF.get(definition.resource)
      if (policies) await checkBinding(parts, attributes, policies, object as Binding, previous as Binding | undefined)
    },
  }
}

async function checkPolicy(
  parts: Parts,
  attributes: AdmissionAttributes,
  { spec: { paramKind } }: Policy,
  previous: Policy | undefined,
): Promise<void> {
  if (paramKind === undefined || deepEqual(paramKind, previous?.spec.paramKind)) return
  const { user, definition, name } = attributes
  const { group, resource } = referred(parts, paramKind)
  if (await may(parts, { user, verb: 'get', group, resource, namespace: '*', name: '*' })) return
  const { kind = '', apiVersion = '' } = paramKind
  const what = `all objects of the referenced paramKind (kind=${kind}, apiVersion=${apiVersion})`
  const detail = `user ${userText(user)} must have "get" permission on ${what}`
  throw invalid(definition, name, [forbidden(new FieldPath('spec.paramKind'), detail)])
}

async function checkBinding(
  parts: Parts,
  attributes: AdmissionAttributes,
  policies: ResourceDefinition<Policy>,
  { spec }: Binding,
  previous: Binding | undefined,
): Promise<void> {
  const { policyName, paramRef } = spec
  const isSame = deepEqual(paramRef, previous?.spec.paramRef) && policyName === previous?.spec.policyName
  if (paramRef === undefined || isSame) return
  const { user, definition, name } = attributes
  const policy = await parts.view.get(policies, { name: policyName })
  const paramKind = policy?.spec.paramKind
  const { group, resource, unknown } = referred(parts, paramKind)
  const verb = paramRef.name ? 'get' : 'list'
  const { namespace = '', name: object = '' } = paramRef
  if (await may(parts, { user, verb, group, resource, namespace, name: object })) return
  const lacks = `user ${userText(user)} does not have "${verb}" permission`
  const missing = policy ? unknown && `resolve paramKind ${kindText(paramKind)}` : `get policy ${policyName}`
  const detail = missing
    ? `unable to ${missing} to determine minimum required permissions and ${lacks} for all groups, versions and resources`
    : `${lacks} on the object referenced by paramRef`
  throw invalid(definition, name, [forbidden(new FieldPath('spec.paramRef'), detail)])
}

/** What is not known takes rights to everything. */
function referred({ byKind }: Parts, paramKind: ParamKind | undefined) {
  if (paramKind === undefined) return { group: '*', resource: '*', unknown: false }
  const { kind = '', apiVersion = '' } = paramKind
  const { group = '*', version = '' } = parseApiVersion(apiVersion) ?? {}
  const resource = byKind(group, version, kind)?.resource
  return { group, resource: resource ?? '*', unknown: resource === undefined }
}

interface Question {
  readonly user: UserInfo
  readonly verb: string
  readonly group: string
  readonly resource: string
  readonly namespace: string
  readonly name: string
}

async function may({ authorization }: Parts, question: Question): Promise<boolean> {
  const { verdict } = await authorization.authorizer.authorize({ ...question, subresource: '', path: '' })
  return verdict === 'allow'
}

/** As upstream prints them. */
function userText({ name, uid, groups, extra = {} }: UserInfo): string {
  const keys = Object.keys(extra).sort()
  return `&{${name} ${uid ?? ''} [${groups.join(' ')}] map[${keys.map((key) => `${key}:[${extra[key]?.join(' ')}]`).join(' ')}]}`
}

function kindText({ apiVersion = '', kind = '' }: ParamKind = {}): string {
  return `&{${apiVersion} ${kind}}`
}
