/**
 * What claims to devices may ask for and who may answer them: administrators' access only in namespaces that are
 * marked for it, allocations only by who may bind claims, and news of a device only by who may speak for its driver.
 * Upstream finds this while it checks the object, so refusals look as if the object were wrong.
 */

import { namespaces } from '../../../../apis/core/namespace.ts'
import { resourceClaims } from '../../../../apis/resource/resource-claim.ts'
import { resourceClaimTemplates } from '../../../../apis/resource/resource-claim-template.ts'
import type {
  AllocatedDeviceStatus,
  AllocationResult,
  DeviceClaim,
  ResourceClaim,
  ResourceClaimStatus,
  ResourceClaimTemplate,
} from '../../../../apis/resource/types.gen.ts'
import { deepEqual } from '../../../../base/deep-equal.ts'
import { messageOf } from '../../../../base/error-text.ts'
import { byCodeUnit } from '../../../../base/group-by.ts'
import { invalid } from '../../../../machinery/meta/api-error.ts'
import { type FieldError, FieldPath, forbidden } from '../../../../machinery/meta/field-error.ts'
import type { KubeObject } from '../../../../machinery/meta/object.ts'
import type { Authorization } from '../../../auth/authorization.ts'
import { demand } from '../../../auth/authorizer.ts'
import type { AdmissionAttributes } from '../../../registry/admission-hooks.ts'
import type { AdmissionPlugin, AdmissionView } from '../../plugin.ts'

/** On namespaces whose claims may ask for administrators' access. */
const ADMIN_LABEL = 'resource.kubernetes.io/admin-access'
const NOT_MARKED = `admin access to devices requires the \`${ADMIN_LABEL}: true\` label on the containing namespace`
/** What the token of a pod's service account says of its node. */
const NODE_NAME_KEY = 'authentication.kubernetes.io/node-name'

interface Parts {
  readonly view: AdmissionView
  readonly authorization: Authorization
}

export function deviceClaims(parts: Parts): AdmissionPlugin {
  return {
    name: 'DeviceClaims',
    operations: ['CREATE', 'UPDATE'],
    about: ['resource.k8s.io/resourceclaims', 'resource.k8s.io/resourceclaimtemplates'],
    async validate(attributes) {
      const errors = await claimErrors(parts, attributes)
      if (errors.length > 0) throw invalid(attributes.definition, attributes.name, errors)
    },
  }
}

async function claimErrors(parts: Parts, attributes: AdmissionAttributes): Promise<readonly FieldError[]> {
  const { definition, operation, subresource, object, previous } = attributes
  if (definition.group !== resourceClaims.group || object === undefined) return []
  const isNew = operation === 'CREATE' && subresource === ''
  // By its definition the object is of this kind.
  if (isNew && definition.resource === resourceClaimTemplates.resource)
    return adminErrors(parts, attributes, adminRequest((object as ResourceClaimTemplate).spec.spec.devices))
  if (definition.resource !== resourceClaims.resource) return []
  const claim = object as ResourceClaim
  if (isNew) return adminErrors(parts, attributes, adminRequest(claim.spec.devices))
  if (subresource !== 'status') return []
  return statusErrors(parts, attributes, claim.status ?? {}, (previous as ResourceClaim | undefined)?.status ?? {})
}

/** Where administrators' access is asked for; templates name it by the path of a claim, as upstream does. */
function adminRequest({ requests }: DeviceClaim = {}): FieldPath | undefined {
  const index = (requests ?? []).findIndex(({ exactly }) => exactly?.adminAccess === true)
  return index < 0 ? undefined : new FieldPath('spec.devices.requests').index(index).child('adminAccess')
}

function adminResult(allocation: AllocationResult | undefined): FieldPath | undefined {
  const index = (allocation?.devices?.results ?? []).findIndex(({ adminAccess }) => adminAccess === true)
  return index < 0 ? undefined : new FieldPath('status.allocation.devices.results').index(index).child('adminAccess')
}

async function adminErrors(
  { view }: Parts,
  { namespace }: AdmissionAttributes,
  path: FieldPath | undefined,
): Promise<readonly FieldError[]> {
  if (path === undefined) return []
  const found = await view.get<KubeObject>(namespaces, { name: namespace })
  return found?.metadata.labels?.[ADMIN_LABEL] === 'true' ? [] : [forbidden(path, NOT_MARKED)]
}

async function statusErrors(
  parts: Parts,
  attributes: AdmissionAttributes,
  status: ResourceClaimStatus,
  previous: ResourceClaimStatus,
): Promise<readonly FieldError[]> {
  const granted = adminResult(previous.allocation) !== undefined
  return [
    ...(granted ? [] : await adminErrors(parts, attributes, adminResult(status.allocation))),
    ...(await bindingErrors(parts, attributes, status, previous)),
    ...(status.allocation === undefined ? [] : await driverErrors(parts, attributes, status, previous)),
  ]
}

async function bindingErrors(
  parts: Parts,
  attributes: AdmissionAttributes,
  status: ResourceClaimStatus,
  previous: ResourceClaimStatus,
): Promise<readonly FieldError[]> {
  const isSame =
    deepEqual(status.allocation, previous.allocation) && deepEqual(status.reservedFor ?? [], previous.reservedFor ?? [])
  if (isSame) return []
  const verb = verbOf(attributes)
  const refusal = await refusalOf(parts, attributes, { verb, subresource: 'binding', namespace: '', name: '' })
  if (refusal === undefined) return []
  const what = 'changing status.allocation or status.reservedFor'
  const detail = `${what} requires resource="resourceclaims/binding", verb="${verb}" permission: ${refusal}`
  return [forbidden(new FieldPath('status.allocation'), detail)]
}

async function driverErrors(
  parts: Parts,
  attributes: AdmissionAttributes,
  status: ResourceClaimStatus,
  previous: ResourceClaimStatus,
): Promise<readonly FieldError[]> {
  const verb = verbOf(attributes)
  const anyNode = `arbitrary-node:${verb}`
  const verbs = isOnNodeOf(attributes, status.allocation) ? [`associated-node:${verb}`, anyNode] : [anyNode]
  const errors: FieldError[] = []
  for (const name of changedDrivers(status.devices ?? [], previous.devices ?? [])) {
    const { namespace } = attributes
    const refusals: string[] = []
    for (const each of verbs) {
      const refusal = await refusalOf(parts, attributes, { verb: each, subresource: 'driver', namespace, name })
      if (refusal !== undefined) refusals.push(refusal)
    }
    if (refusals.length < verbs.length) continue
    const needs = `resource="resourceclaims/driver", verb="[${verbs.join(' ')}]"`
    const detail = `changing status.devices requires ${needs} permission: ${refusals[0]}`
    errors.push(forbidden(new FieldPath('status.devices'), detail))
  }
  return errors
}

function changedDrivers(
  devices: readonly AllocatedDeviceStatus[],
  previous: readonly AllocatedDeviceStatus[],
): readonly string[] {
  const isIn = (list: readonly AllocatedDeviceStatus[], device: AllocatedDeviceStatus): boolean =>
    list.some((other) => deepEqual(other, device))
  const changed = [
    ...devices.filter((device) => !isIn(previous, device)),
    ...previous.filter((device) => !isIn(devices, device)),
  ]
  return [...new Set(changed.map(({ driver }) => driver))].sort(byCodeUnit)
}

/** A driver's pod on the node for which the devices were allocated. */
function isOnNodeOf({ user }: AdmissionAttributes, allocation: AllocationResult | undefined): boolean {
  const [term, ...terms] = allocation?.nodeSelector?.nodeSelectorTerms ?? []
  const [field, ...fields] = term?.matchFields ?? []
  if (field === undefined || terms.length > 0 || fields.length > 0 || (term?.matchExpressions ?? []).length > 0)
    return false
  const [name, ...names] = field.values ?? []
  const isOneNode = field.key === 'metadata.name' && field.operator === 'In' && names.length === 0
  const nodes = user.extra?.[NODE_NAME_KEY] ?? []
  const isAccount = user.name.startsWith('system:serviceaccount:')
  return isOneNode && isAccount && nodes.length === 1 && nodes[0] === name
}

function verbOf({ options }: AdmissionAttributes): 'patch' | 'update' {
  return options.kind === 'PatchOptions' ? 'patch' : 'update'
}

interface Question {
  readonly verb: string
  readonly subresource: string
  readonly namespace: string
  readonly name: string
}

/** Undefined: it is allowed. */
async function refusalOf(
  { authorization }: Parts,
  { user, definition: { group, resource } }: AdmissionAttributes,
  question: Question,
): Promise<string | undefined> {
  try {
    await demand(authorization.authorizer, { user, group, resource, path: '', ...question })
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}
