/**
 * Whether a webhook is called for a request, and about what: the resource of the request itself, or an equivalent one
 * that its rules name — the same objects under another group or version — into which the objects are converted.
 */

import type { RuleWithOperations, ValidatingWebhook } from '../../../apis/admissionregistration/types.gen.ts'
import type { ResourceDefinition } from '../../../apis/definition.ts'
import type { AdmissionAttributes } from '../../registry/admission-hooks.ts'
import type { AdmissionView } from '../plugin.ts'
import { ruleMatches, targetOf } from './matching.ts'
import { namespaceSelected, objectSelected } from './selectors.ts'

/** What decides whether a webhook, or a policy, is asked. */
export type Matched = Pick<ValidatingWebhook, 'rules' | 'matchPolicy' | 'namespaceSelector' | 'objectSelector'>

/** Other definitions of the same stored objects, without the definition itself. */
export type Equivalents = (definition: ResourceDefinition) => readonly ResourceDefinition[]

/** The definition that the webhook is asked in terms of; undefined: it is not asked. Throws `ApiError`. */
export async function invokedAs(
  webhook: Matched,
  attributes: AdmissionAttributes,
  { view, equivalents }: { readonly view: AdmissionView; readonly equivalents: Equivalents },
): Promise<ResourceDefinition | undefined> {
  const definition = matchingDefinition(webhook, attributes, equivalents)
  if (definition === undefined || !objectSelected(webhook.objectSelector, attributes)) return undefined
  return (await namespaceSelected(webhook.namespaceSelector, attributes, view)) ? definition : undefined
}

function matchingDefinition(
  { rules = [], matchPolicy }: Matched,
  attributes: AdmissionAttributes,
  equivalents: Equivalents,
): ResourceDefinition | undefined {
  const target = targetOf(attributes)
  if (rules.some((rule) => ruleMatches(rule, target))) return attributes.definition
  if (matchPolicy === 'Exact') return undefined
  const others = equivalents(attributes.definition)
  const matches = (rule: RuleWithOperations) =>
    others.find(({ group, version, resource }) => ruleMatches(rule, { ...target, group, version, resource }))
  // The rule that comes first decides, not the version that does.
  return rules.map(matches).find((definition) => definition !== undefined)
}

/** Objects are stored as one thing, whatever they are called when they are asked for. */
export function equivalentsAmong(definitions: () => readonly ResourceDefinition[]): Equivalents {
  return (definition) =>
    definitions().filter((other) => other !== definition && storedName(other) === storedName(definition))
}

function storedName({ group, resource, storedAs }: ResourceDefinition): string {
  return storedAs === undefined ? `${group}/${resource}` : `${storedAs.group}/${storedAs.resource}`
}
