/** The selectors of webhooks: of the namespace a request goes to, and of the object it is about. */

import { namespaces } from '../../../apis/core/namespace.ts'
import { notFound } from '../../../machinery/meta/api-error.ts'
import { type LabelSelector, type Labels, selectorFromLabelSelector } from '../../../machinery/meta/labels.ts'
import type { AdmissionAttributes } from '../../registry/admission-hooks.ts'
import type { AdmissionView } from '../plugin.ts'

/** An absent selector and an empty one select everything. */
export function objectSelected(
  selector: LabelSelector | undefined,
  { object, previous }: Pick<AdmissionAttributes, 'object' | 'previous'>,
): boolean {
  const parsed = selectorFromLabelSelector(selector ?? {})
  if (parsed.requirements.length === 0) return true
  return [object, previous].some((each) => each !== undefined && parsed.matches(each.metadata.labels))
}

/** What lives in no namespace is always selected; a namespace is selected by its own labels. Throws 404. */
export async function namespaceSelected(
  selector: LabelSelector | undefined,
  attributes: AdmissionAttributes,
  view: AdmissionView,
): Promise<boolean> {
  const isNamespace = attributes.definition.resource === namespaces.resource && attributes.definition.group === ''
  if (attributes.namespace === '' && !isNamespace) return true
  const parsed = selectorFromLabelSelector(selector ?? {})
  if (parsed.requirements.length === 0) return true
  return parsed.matches(await namespaceLabels(attributes, isNamespace, view))
}

async function namespaceLabels(
  { operation, subresource, object, namespace, name }: AdmissionAttributes,
  isNamespace: boolean,
  view: AdmissionView,
): Promise<Labels | undefined> {
  // The namespace as it will be: in memory it is as it was, if it is there at all.
  const isWritten = isNamespace && subresource === '' && (operation === 'CREATE' || operation === 'UPDATE')
  if (isWritten) return object?.metadata.labels
  const key = { name: isNamespace ? name : namespace }
  const found = await view.get(namespaces, key)
  if (found === undefined) throw notFound(namespaces, key.name)
  return found.metadata.labels
}
