/** The parameters of a policy: the objects that a binding's `paramRef` names, each of which it is evaluated with. */

import type { ParamKind, ParamRef } from '../../../apis/admissionregistration/types.gen.ts'
import type { ResourceDefinition } from '../../../apis/definition.ts'
import { parseApiVersion } from '../../../machinery/meta/group-version.ts'
import { selectorFromLabelSelector } from '../../../machinery/meta/labels.ts'
import type { KubeObject } from '../../../machinery/meta/object.ts'
import type { AdmissionView } from '../plugin.ts'

export interface ParamParts {
  readonly view: AdmissionView
  readonly byKind: (group: string, version: string, kind: string) => ResourceDefinition | undefined
}

/** What a policy or a binding has wrong; its failure policy says what follows from that. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError'
}

/** `null` stands for a binding without parameters. */
export type Params = KubeObject | null

/** The definition of a policy's kind of parameters. Throws ConfigurationError when nothing of that kind is served. */
export function paramDefinition({ apiVersion = '', kind = '' }: ParamKind, { byKind }: ParamParts): ResourceDefinition {
  const { group = '', version = '' } = parseApiVersion(apiVersion) ?? {}
  const definition = byKind(group, version, kind)
  if (definition !== undefined) return definition
  const text = `${group === '' ? `/${version}` : `${group}/${version}`}, Kind=${kind}`
  throw new ConfigurationError(`failed to find resource referenced by paramKind: '${text}'`)
}

/** Throws ConfigurationError. */
export async function paramsOf(
  definition: ResourceDefinition | undefined,
  reference: ParamRef | undefined,
  namespace: string,
  { view }: ParamParts,
): Promise<readonly Params[]> {
  if (definition === undefined || reference === undefined) return [null]
  const from = placeOf(definition, reference, namespace)
  const found = await lookUp(view, definition, reference, from)
  if (found.length === 0 && reference.parameterNotFoundAction === 'Deny')
    throw new ConfigurationError('no params found for policy binding with `Deny` parameterNotFoundAction')
  return found
}

/** The namespace parameters are looked for in; empty for those that live in none. */
function placeOf({ scope }: ResourceDefinition, reference: ParamRef, namespace: string): string {
  const own = reference.namespace ?? ''
  if (scope === 'Cluster') {
    if (own === '') return ''
    throw new ConfigurationError('paramRef.namespace must not be provided for a cluster-scoped `paramKind`')
  }
  if (own !== '' || namespace !== '') return own || namespace
  throw new ConfigurationError('cannot use namespaced paramRef in policy binding that matches cluster-scoped resources')
}

async function lookUp(
  view: AdmissionView,
  definition: ResourceDefinition,
  { name = '', selector }: ParamRef,
  namespace: string,
): Promise<readonly KubeObject[]> {
  if (name !== '') {
    const found = await view.get(definition, namespace === '' ? { name } : { namespace, name })
    return found === undefined ? [] : [found]
  }
  if (selector === undefined) throw new ConfigurationError('one of name or selector must be provided')
  const parsed = selectorFromLabelSelector(selector)
  return (await view.list(definition, namespace)).filter(({ metadata }) => parsed.matches(metadata.labels))
}
