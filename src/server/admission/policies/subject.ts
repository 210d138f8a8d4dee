/** Which requests a policy and its bindings are about, and what their expressions are shown of one. */

import type { MatchResources, NamedRuleWithOperations } from '../../../apis/admissionregistration/types.gen.ts'
import { namespaces } from '../../../apis/core/namespace.ts'
import type { ResourceDefinition } from '../../../apis/definition.ts'
import { notFound } from '../../../machinery/meta/api-error.ts'
import type { KubeObject } from '../../../machinery/meta/object.ts'
import type { AdmissionAttributes } from '../../registry/admission-hooks.ts'
import type { Convert } from '../converted.ts'
import type { AdmissionView } from '../plugin.ts'
import { type Equivalents, invokedAs } from '../webhooks/invocation.ts'
import { admissionReview, type ReviewSubject, seenThrough } from '../webhooks/review.ts'

export interface MatchParts {
  readonly view: AdmissionView
  readonly equivalents: Equivalents
  readonly convert: Convert
}

/** The definition in whose terms the request matches; undefined: it does not. Throws `ApiError`. */
export async function matchedAs(
  resources: MatchResources | undefined,
  attributes: AdmissionAttributes,
  parts: MatchParts,
): Promise<ResourceDefinition | undefined> {
  if (resources === undefined) return attributes.definition
  const { resourceRules = [], excludeResourceRules = [], ...selectors } = resources
  const rules = resourceRules.length === 0 ? EVERYTHING : named(resourceRules, attributes)
  const definition = await invokedAs({ ...selectors, rules }, attributes, parts)
  if (definition === undefined || excludeResourceRules.length === 0) return definition
  const excluded = { rules: named(excludeResourceRules, attributes), matchPolicy: resources.matchPolicy }
  return (await invokedAs(excluded, attributes, parts)) === undefined ? definition : undefined
}

const EVERYTHING: readonly NamedRuleWithOperations[] = [
  { operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*/*'] },
]

/** The rules that may be about an object of this name. */
function named(rules: readonly NamedRuleWithOperations[], { name }: AdmissionAttributes) {
  return rules.filter(({ resourceNames = [] }) => resourceNames.length === 0 || resourceNames.includes(name))
}

/** The request in the form of a definition. Throws `ApiError`. */
export async function subjectAs(
  definition: ResourceDefinition,
  attributes: AdmissionAttributes,
  convert: Convert,
): Promise<ReviewSubject> {
  const formOf = async (object: KubeObject | undefined): Promise<KubeObject | undefined> => {
    const isMain = object !== undefined && object.kind === attributes.definition.kind
    const form = isMain ? await convert(object, attributes.definition, definition) : object
    return seenThrough(attributes, definition, form)
  }
  const { object, previous } = attributes
  return { attributes, definition, object: await formOf(object), previous: await formOf(previous) }
}

/** `request`: the AdmissionRequest without what expressions have under names of their own. */
export function requestOf(subject: ReviewSubject): unknown {
  return Reflect.get(admissionReview('v1', '', { ...subject, object: undefined, previous: undefined }), 'request')
}

/** `namespaceObject`: undefined for what lives in no namespace, and for namespaces themselves. Throws 404. */
export async function namespaceOf(
  { definition, namespace }: AdmissionAttributes,
  view: AdmissionView,
): Promise<KubeObject | undefined> {
  if (namespace === '' || (definition.group === '' && definition.kind === 'Namespace')) return undefined
  const found = await view.get<KubeObject>(namespaces, { name: namespace })
  if (found === undefined) throw notFound(namespaces, namespace)
  const { managedFields: _managedFields, ownerReferences: _ownerReferences, ...metadata } = found.metadata
  return { ...found, metadata }
}
