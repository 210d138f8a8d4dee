/** The parameters of requests, read and checked as upstream's CreateOptions, UpdateOptions, PatchOptions, ListOptions. */

import type { ResourceDefinition } from '../../apis/definition.ts'
import { badRequest, invalid } from '../../machinery/meta/api-error.ts'
import { type FieldError, forbidden, notSupported, required, rootPath } from '../../machinery/meta/field-error.ts'
import {
  type FieldSelector,
  fieldSelectorOf,
  parseFieldSelector,
  requiredFieldValue,
} from '../../machinery/meta/fields.ts'
import { parseLabelSelector } from '../../machinery/meta/labels.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import { FIELD_MANAGER_BYTES_MAX, validateFieldManager } from '../../machinery/meta/validate-meta.ts'
import type { ApiRequest } from '../../machinery/wire/message.ts'
import type { WriteOptions } from '../registry/context.ts'
import type { ListOptions } from '../registry/list.ts'
import { type Exchange, userOf, warnTo } from './exchange.ts'
import { isTrue } from './flags.ts'

export type FieldValidation = 'Ignore' | 'Warn' | 'Strict'

export interface WriteParameters extends WriteOptions {
  readonly fieldValidation: FieldValidation
  /** Only for server-side apply. */
  readonly force: boolean
}

const FIELD_VALIDATIONS = ['Ignore', 'Strict', 'Warn'] as const
const isFieldValidation = (text: string): text is FieldValidation => FIELD_VALIDATIONS.some((one) => one === text)

/** `kind`: `CreateOptions`, as errors and admission call the parameters. `applies`: a server-side apply. */
export function writeParameters<T extends KubeObject>(
  { request }: Exchange<T>,
  kind: 'CreateOptions' | 'UpdateOptions' | 'PatchOptions',
  applies = false,
): WriteParameters {
  const { query } = request
  const dryRun = query.getAll('dryRun').filter((value) => value !== '')
  const fieldManager = query.get('fieldManager') ?? ''
  const fieldValidation = query.get('fieldValidation') || 'Warn'
  const errors: FieldError[] = [
    ...dryRunErrors(dryRun),
    ...validateFieldManager(fieldManager, rootPath.child('fieldManager')),
  ]
  if (!isFieldValidation(fieldValidation))
    errors.push(notSupported(rootPath.child('fieldValidation'), fieldValidation, ['', ...FIELD_VALIDATIONS]))
  if (kind === 'PatchOptions') errors.push(...applyErrors(query, applies))
  if (errors.length > 0 || !isFieldValidation(fieldValidation)) throw invalid(metaKind(kind), '', errors)
  return {
    user: userOf(request),
    dryRun: dryRun.length > 0,
    fieldManager: fieldManager === '' ? usualManager(request) : fieldManager,
    fieldValidation,
    force: isTrue(query.get('force')),
    options: optionsObject(kind, { dryRun, fieldManager, fieldValidation: query.get('fieldValidation') ?? '' }),
    cause: request.cause,
    signal: request.signal,
    warn: warnTo(request),
    audit: request.audit,
  }
}

export const metaKind = (kind: string): { readonly group: string; readonly kind: string } => ({
  group: 'meta.k8s.io',
  kind,
})

export function dryRunErrors(dryRun: readonly string[]): readonly FieldError[] {
  return dryRun.every((value) => value === 'All') ? [] : [notSupported(rootPath.child('dryRun'), dryRun, ['All'])]
}

function applyErrors(query: URLSearchParams, applies: boolean): readonly FieldError[] {
  if (applies)
    return query.get('fieldManager') ? [] : [required(rootPath.child('fieldManager'), 'is required for apply patch')]
  return query.has('force') ? [forbidden(rootPath.child('force'), 'may not be specified for non-apply patch')] : []
}

/** The options as an object of meta.k8s.io, for admission; what was not said is left out. */
function optionsObject(
  kind: string,
  {
    dryRun,
    fieldManager,
    fieldValidation,
  }: { readonly dryRun: readonly string[]; readonly fieldManager: string; readonly fieldValidation: string },
): Readonly<Record<string, unknown>> {
  return {
    kind,
    apiVersion: 'meta.k8s.io/v1',
    ...(dryRun.length > 0 ? { dryRun } : {}),
    ...(fieldManager === '' ? {} : { fieldManager }),
    ...(fieldValidation === '' ? {} : { fieldValidation }),
  }
}

/** The program's name out of its user agent, as upstream; that of a component in this process that has none. */
function usualManager({ headers, cause }: ApiRequest): string {
  const agent = headers['user-agent']?.split('/', 1)[0] ?? ''
  const printable = /^[ -~]*$/.test(agent) ? agent : agent.replace(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, '')
  const component = cause === undefined || cause.by === 'request' ? 'unknown' : cause.by
  return printable.slice(0, FIELD_MANAGER_BYTES_MAX) || component
}

export function listOptions<T extends KubeObject>({ request, target, registry }: Exchange<T>): ListOptions {
  const { query } = request
  // A list takes no time worth limiting, but what is said must make sense.
  integerParameter(query, 'timeoutSeconds')
  return {
    namespace: target.namespace,
    ...selectorsOf(query, registry.definition),
    resourceVersion: query.get('resourceVersion') ?? '',
    resourceVersionMatch: query.get('resourceVersionMatch') ?? '',
    limit: integerParameter(query, 'limit') ?? 0,
    continueToken: query.get('continue') ?? '',
  }
}

/** `name` is not empty where the path names the one object to watch. */
export function selectorsOf<T extends KubeObject>(
  query: URLSearchParams,
  definition: ResourceDefinition<T>,
  name = '',
): Pick<ListOptions, 'labels' | 'fields'> {
  const fields = knownFields(parseFieldSelector(query.get('fieldSelector') ?? ''), definition)
  return {
    labels: parseLabelSelector(query.get('labelSelector') ?? ''),
    fields: name === '' ? fields : namedFields(fields, name),
  }
}

function namedFields(fields: FieldSelector, name: string): FieldSelector {
  if (fields.requirements.length > 0 && requiredFieldValue(fields, 'metadata.name') !== name)
    throw badRequest("fieldSelector metadata.name doesn't match requested name")
  return fieldSelectorOf([{ field: 'metadata.name', operator: '=', value: name }, ...fields.requirements])
}

/** With aliases resolved. Throws 400 for a label the resource does not offer, in one of upstream's two ways to say it. */
function knownFields<T extends KubeObject>(selector: FieldSelector, definition: ResourceDefinition<T>): FieldSelector {
  const { fieldLabels, fieldAliases, schemaStamp } = definition
  for (const { field } of selector.requirements) {
    if (fieldLabels.includes(field) || Object.hasOwn(fieldAliases, field)) continue
    const general = schemaStamp === undefined && fieldLabels.every((label) => label.startsWith('metadata.'))
    throw badRequest(
      general
        ? `"${field}" is not a known field selector: only "metadata.name", "metadata.namespace"`
        : `field label not supported: ${field}`,
    )
  }
  if (!selector.requirements.some(({ field }) => Object.hasOwn(fieldAliases, field))) return selector
  return fieldSelectorOf(
    selector.requirements.map((requirement) => ({
      ...requirement,
      field: fieldAliases[requirement.field] ?? requirement.field,
    })),
  )
}

/** Undefined when absent. Throws 400 for what is no integer. */
export function integerParameter(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name)
  if (text === null || text === '') return undefined
  if (!/^[+-]?\d{1,15}$/.test(text))
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
  return Number(text)
}
