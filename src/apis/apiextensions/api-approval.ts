/** Groups of the Kubernetes community (`*.k8s.io`, `*.kubernetes.io`): a definition there says who approved it. */

import { type FieldError, FieldPath, invalidValue, required } from '../../machinery/meta/field-error.ts'
import type { CustomResourceDefinition } from './types.gen.ts'

const ANNOTATION = 'api-approved.kubernetes.io'
const PROPOSAL = 'see https://github.com/kubernetes/enhancements/pull/1111'

export interface Approval {
  readonly state: 'approved' | 'bypassed' | 'missing' | 'invalid'
  readonly reason: string
}

/** Undefined for groups that need none. */
export function approvalOf({ metadata, spec }: CustomResourceDefinition): Approval | undefined {
  if (!/(^|\.)(k8s|kubernetes)\.io$/.test(spec.group)) return undefined
  const text = metadata.annotations?.[ANNOTATION] ?? ''
  const must = `protected groups must have approval annotation "${ANNOTATION}"`
  if (text === '') return { state: 'missing', reason: `${must}, ${PROPOSAL}` }
  if (text.startsWith('unapproved')) return { state: 'bypassed', reason: `not approved: ${JSON.stringify(text)}` }
  if (URL.canParse(text) && new URL(text).host !== '') return { state: 'approved', reason: `approved in ${text}` }
  const detail = `with either a URL or a reason starting with "unapproved", ${PROPOSAL}`
  return { state: 'invalid', reason: `${must} ${detail}` }
}

/** An approval that did not change never fails. */
export function approvalErrors(
  object: CustomResourceDefinition,
  previous: CustomResourceDefinition | undefined,
): readonly FieldError[] {
  const approval = approvalOf(object)
  if (approval === undefined || (previous && approvalOf(previous)?.state === approval.state)) return []
  const path = new FieldPath('metadata.annotations').key(ANNOTATION)
  if (approval.state === 'missing') return [required(path, approval.reason)]
  if (approval.state !== 'invalid') return []
  return [invalidValue(path, object.metadata.annotations?.[ANNOTATION] ?? '', approval.reason)]
}
