/** Environment variables: names, and where a value comes from (a field, a resource, a ConfigMap, a Secret, a file). */

import {
  type FieldError,
  type FieldPath,
  invalidValue,
  notSupported,
  required,
} from '../../../../machinery/meta/field-error.ts'
import {
  isConfigMapKey,
  isEnvironmentName,
  isQualifiedName,
  nameIsDns1123Subdomain,
} from '../../../../machinery/meta/names.ts'
import { quantityOf, quantityText } from '../../../../machinery/meta/quantity.ts'
import { dnsLabelErrors, dnsSubdomainErrors, findingErrors } from '../../../field-rules.ts'
import type {
  EnvFromSource,
  EnvVar,
  EnvVarSource,
  FileKeySelector,
  ObjectFieldSelector,
  ResourceFieldSelector,
} from '../../types.gen.ts'
import { requiredFields } from '../findings.ts'
import { validateNoBacksteps } from '../volumes/paths.ts'

const VARIABLE_FIELDS = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
]

/** Fields that can be named at all; others are no fields to the API. */
const KNOWN_FIELDS: ReadonlySet<string> = new Set([
  ...VARIABLE_FIELDS,
  'metadata.annotations',
  'metadata.labels',
  'spec.restartPolicy',
  'spec.schedulerName',
  'status.phase',
])

const RESOURCE_FIELDS = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
]
const RESOURCE_FIELD_PREFIXES = ['limits.hugepages-', 'requests.hugepages-']

const CPU_DIVISORS = ['1', '1m']
const BYTE_DIVISORS = ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei']
/** Resources that are shown in parts, as messages name them. */
const DIVIDED: Readonly<Record<string, string>> = {
  cpu: 'cpu',
  memory: 'memory',
  'ephemeral-storage': 'local ephemeral storage',
}

export function validateVariables(variables: readonly EnvVar[] | undefined, path: FieldPath): FieldError[] {
  return (variables ?? []).flatMap((variable, index) => {
    const at = path.index(index)
    const name = variable.name
      ? findingErrors(at.child('name'), variable.name, isEnvironmentName(variable.name))
      : [required(at.child('name'))]
    if (!variable.valueFrom) return name
    return [...name, ...validateValueSource(variable.valueFrom, variable.value ?? '', at.child('valueFrom'))]
  })
}

function validateValueSource(source: EnvVarSource, value: string, path: FieldPath): FieldError[] {
  const errors: FieldError[] = []
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = source
  if (fieldRef) errors.push(...validateFieldReference(fieldRef, VARIABLE_FIELDS, path.child('fieldRef')))
  if (resourceFieldRef) {
    errors.push(...validateResourceReference(resourceFieldRef, path.child('resourceFieldRef'), false))
  }
  if (configMapKeyRef) errors.push(...validateKeyReference(configMapKeyRef, path.child('configMapKeyRef')))
  if (secretKeyRef) errors.push(...validateKeyReference(secretKeyRef, path.child('secretKeyRef')))
  if (fileKeyRef) {
    errors.push(...validateFileReference(fileKeyRef, path.child('fileKeyRef')))
  }
  const sources = [fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef].filter(Boolean).length
  if (sources === 0) {
    const detail =
      'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`'
    errors.push(invalidValue(path, '', detail))
  } else if (value !== '') {
    errors.push(invalidValue(path, '', 'may not be specified when `value` is not empty'))
  } else if (sources > 1) {
    errors.push(invalidValue(path, '', 'may not have more than one field specified at a time'))
  }
  return errors
}

function validateKeyReference(
  reference: { readonly name?: string | undefined; readonly key: string },
  path: FieldPath,
) {
  const { name = '', key } = reference
  const errors = dnsSubdomainErrors(path.child('name'), name)
  return [
    ...errors,
    ...(key ? findingErrors(path.child('key'), key, isConfigMapKey(key)) : [required(path.child('key'))]),
  ]
}

function validateFileReference({ key, volumeName, path: file }: FileKeySelector, at: FieldPath): FieldError[] {
  return [
    ...(key ? findingErrors(at.child('key'), key, isEnvironmentName(key)) : [required(at.child('key'))]),
    ...(volumeName ? dnsLabelErrors(at.child('volumeName'), volumeName) : [required(at.child('volumeName'))]),
    ...(file ? validateNoBacksteps(file, at.child('path')) : [required(at.child('path'))]),
  ]
}

export function validateEnvironmentSources(
  sources: readonly EnvFromSource[] | undefined,
  path: FieldPath,
): FieldError[] {
  return (sources ?? []).flatMap((source, index) => {
    const at = path.index(index)
    const errors = source.prefix
      ? findingErrors(at.child('prefix'), source.prefix, isEnvironmentName(source.prefix))
      : []
    if (source.configMapRef) errors.push(...validateSourceName(source.configMapRef, at.child('configMapRef', 'name')))
    if (source.secretRef) errors.push(...validateSourceName(source.secretRef, at.child('secretRef', 'name')))
    if (!source.configMapRef && !source.secretRef) {
      errors.push(invalidValue(path, '', 'must specify one of: `configMapRef` or `secretRef`'))
    } else if (source.configMapRef && source.secretRef) {
      errors.push(invalidValue(path, '', 'may not have more than one field specified at a time'))
    }
    return errors
  })
}

function validateSourceName({ name }: { readonly name?: string | undefined }, path: FieldPath): FieldError[] {
  return name ? findingErrors(path, name, nameIsDns1123Subdomain(name, true)) : [required(path)]
}

/** `metadata.labels['key']` as its two parts. */
const SUBSCRIPTED = /^(.+)\['(.*)'\]$/

export function validateFieldReference(
  reference: ObjectFieldSelector,
  allowed: readonly string[],
  path: FieldPath,
): FieldError[] {
  const missing = requiredFields(reference, ['apiVersion', 'fieldPath'], path).slice(0, 1)
  if (missing.length > 0) return missing
  const field = reference.fieldPath === 'spec.host' ? 'spec.nodeName' : reference.fieldPath
  const subscripted = SUBSCRIPTED.exec(field)
  const fail = (reason: string) => [
    invalidValue(path.child('fieldPath'), field, `error converting fieldPath: ${reason}`),
  ]
  if (reference.apiVersion !== 'v1') return fail(`unsupported pod version: ${reference.apiVersion}`)
  if (!subscripted) {
    if (!KNOWN_FIELDS.has(field)) return fail(`field label not supported: ${field}`)
    return allowed.includes(field) ? [] : [notSupported(path.child('fieldPath'), field, allowed)]
  }
  const [, base = '', key = ''] = subscripted
  if (base === 'metadata.annotations') return findingErrors(path, key, isQualifiedName(key.toLowerCase()))
  if (base === 'metadata.labels') return findingErrors(path, key, isQualifiedName(key))
  return fail(`field label does not support subscript: ${field}`)
}

/** In a volume the container must be named; in a variable it is the variable's own. */
export function validateResourceReference(
  reference: ResourceFieldSelector,
  path: FieldPath,
  inVolume: boolean,
): FieldError[] {
  const errors: FieldError[] = []
  const known =
    RESOURCE_FIELDS.includes(reference.resource) ||
    RESOURCE_FIELD_PREFIXES.some((prefix) => reference.resource?.startsWith(prefix))
  if (inVolume && !reference.containerName) errors.push(required(path.child('containerName')))
  else if (!reference.resource) errors.push(required(path.child('resource')))
  else if (!known) errors.push(notSupported(path.child('resource'), reference.resource, RESOURCE_FIELDS))
  return [...errors, ...validateDivisor(reference, path)]
}

function validateDivisor({ resource, divisor }: ResourceFieldSelector, path: FieldPath): FieldError[] {
  if (divisor === undefined || divisor === '0') return []
  const text = quantityText(quantityOf(divisor))
  const [, kind = ''] = resource?.split('.') ?? []
  const name = kind.startsWith('hugepages-') ? 'hugepages' : DIVIDED[kind]
  const allowed = kind === 'cpu' ? CPU_DIVISORS : BYTE_DIVISORS
  if (name === undefined || allowed.includes(text)) return []
  const list = kind === 'cpu' ? '1m and 1' : BYTE_DIVISORS.join(', ')
  return [
    invalidValue(
      path.child('divisor'),
      resource,
      `only divisor's values ${list} are supported with the ${name} resource`,
    ),
  ]
}
