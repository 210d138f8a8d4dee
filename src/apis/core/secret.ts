/** Secrets: values in base64 by key, at most 1 MiB together. Known types demand their keys. */

import { deepEqual } from '../../base/deep-equal.ts'
import { type FieldError, FieldPath, invalidValue, required, tooLong } from '../../machinery/meta/field-error.ts'
import { isConfigMapKey } from '../../machinery/meta/names.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { ageColumn, countKeys, nameColumn, textColumn } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { findingErrors } from '../field-rules.ts'
import { immutable } from '../strategy-parts.ts'
import { base64Length, DATA_BYTES_MAX, immutableDataErrors, sum } from './config-map.ts'
import type { Secret } from './types.gen.ts'

export const secrets = defineResource<Secret>({
  group: '',
  version: 'v1',
  kind: 'Secret',
  resource: 'secrets',
  scope: 'Namespaced',
  schema: builtinSchema('core.v1.Secret'),
  default: (object) => ({ ...withStringData(object), type: object.type || 'Opaque' }),
  validate: validateSecret,
  warnings: tlsWarnings,
  ratchets: true,
  validateUpdate: (object, previous) => [
    ...immutable('type', object.type, previous.type),
    ...immutableDataErrors(object, previous, 'data'),
    ...validateSecret(object),
  ],
  columns: [
    nameColumn,
    textColumn('Type', ({ type }: Secret) => type ?? ''),
    textColumn('Data', ({ data }: Secret) => countKeys(data)),
    ageColumn,
  ],
  fields: ({ type }) => ({ type: type ?? '' }),
  fieldLabels: ['metadata.name', 'metadata.namespace', 'type'],
})

/** `stringData` overwrites `data` and is itself never stored. */
function withStringData(object: Secret): Secret {
  const { stringData, ...rest } = object
  if (stringData === undefined) return object
  const encoded = Object.entries(stringData).map(([key, text]) => [key, Buffer.from(text).toString('base64')])
  if (encoded.length === 0) return rest
  return { ...rest, data: { ...object.data, ...Object.fromEntries(encoded) } }
}

const TLS_PARTS = [
  ['tls.crt', 'certificate'],
  ['tls.key', 'key'],
] as const

/** Whether certificate and key are such at all; whether they belong together is found out by whoever uses them. */
function tlsWarnings({ type, data = {} }: Secret): readonly string[] {
  if (type !== 'kubernetes.io/tls') return []
  const empty = TLS_PARTS.find(([key]) => !Buffer.from(data[key] ?? '', 'base64').includes('-----BEGIN '))
  return empty ? [`tls: failed to find any PEM data in ${empty[1]} input`] : []
}

const dataPath = new FieldPath('data')

function validateSecret(object: Secret): readonly FieldError[] {
  const { data = {} } = object
  const errors = Object.keys(data).flatMap((key) => findingErrors(dataPath.key(key), key, isConfigMapKey(key)))
  if (sum(Object.values(data).map(base64Length)) > DATA_BYTES_MAX) errors.push(tooLong(dataPath, DATA_BYTES_MAX))
  return [...errors, ...typeErrors(object)]
}

const SERVICE_ACCOUNT_NAME = 'kubernetes.io/service-account.name'

function typeErrors({ type, data = {}, metadata }: Secret): readonly FieldError[] {
  switch (type) {
    case 'kubernetes.io/service-account-token':
      if (metadata.annotations?.[SERVICE_ACCOUNT_NAME]) return []
      return [required(new FieldPath('metadata.annotations').key(SERVICE_ACCOUNT_NAME))]
    case 'kubernetes.io/dockercfg':
      return jsonKeyErrors(data, '.dockercfg')
    case 'kubernetes.io/dockerconfigjson':
      return jsonKeyErrors(data, '.dockerconfigjson')
    case 'kubernetes.io/basic-auth':
      if (Object.hasOwn(data, 'username') || Object.hasOwn(data, 'password')) return []
      return missingKeys(data, 'username', 'password')
    case 'kubernetes.io/ssh-auth':
      return data['ssh-privatekey'] ? [] : [required(dataPath.key('ssh-privatekey'))]
    case 'kubernetes.io/tls':
      return missingKeys(data, 'tls.crt', 'tls.key')
    default:
      return []
  }
}

function missingKeys(data: object, ...keys: readonly string[]): readonly FieldError[] {
  return keys.filter((key) => !Object.hasOwn(data, key)).map((key) => required(dataPath.key(key)))
}

function jsonKeyErrors(data: Readonly<Record<string, string>>, key: string): readonly FieldError[] {
  if (!Object.hasOwn(data, key)) return missingKeys(data, key)
  const finding = jsonObjectFinding(Buffer.from(data[key] ?? '', 'base64').toString())
  return finding === undefined ? [] : [invalidValue(dataPath.key(key), '<secret contents redacted>', finding)]
}

/** What is wrong with a text that must be a JSON object. The text itself is secret and not repeated. */
function jsonObjectFinding(text: string): string | undefined {
  if (text === '') return 'unexpected end of JSON input'
  try {
    const value: unknown = JSON.parse(text)
    if (deepEqual(value, null) || (typeof value === 'object' && !Array.isArray(value))) return undefined
    const kind = Array.isArray(value) ? 'array' : typeof value
    return `json: cannot unmarshal ${kind} into Go value of type map[string]interface {}`
  } catch {
    return 'invalid JSON'
  }
}
