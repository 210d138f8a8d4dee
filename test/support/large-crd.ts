/**
 * A CustomResourceDefinition of the size and shape of the largest in use (a monitoring operator's): pod templates within
 * receivers within routes, with patterns, enums, keyed lists, maps and rules. Over 10,000 lines as YAML.
 */

import { crd } from './custom-resources.ts'

type Json = Readonly<Record<string, unknown>>

/** A pattern that takes exponential time where it is searched for by backtracking. */
export const EVIL_PATTERN = '^(a+)+$'

/** Receivers in the schema, each with all its parts: what makes the definition large. */
const RECEIVERS = 60
/** Integrations that one receiver may have. */
const INTEGRATIONS = 6

const text = (more: Json = {}): Json => ({ type: 'string', description: 'Says how it is to be done.', ...more })

const secretKey: Json = {
  type: 'object',
  required: ['key'],
  'x-kubernetes-map-type': 'atomic',
  properties: {
    key: text({ minLength: 1 }),
    name: text({ default: '' }),
    optional: { type: 'boolean' },
  },
}

const matcher: Json = {
  type: 'object',
  required: ['name'],
  properties: {
    matchType: text({ enum: ['!=', '=', '=~', '!~'] }),
    name: text({ minLength: 1, maxLength: 100, pattern: '^[a-zA-Z_][a-zA-Z0-9_]*$' }),
    value: text({ maxLength: 200 }),
  },
  'x-kubernetes-validations': [{ rule: "!has(self.value) || self.value != ''", message: 'a value is not empty' }],
}

const integration = (index: number): Json => ({
  type: 'array',
  maxItems: 20,
  items: {
    type: 'object',
    required: ['name'],
    properties: {
      name: text({ maxLength: 63, pattern: `^[a-z]([-a-z0-9]{0,${40 + index}}[a-z0-9])?$` }),
      apiURL: text({ pattern: '^https?://.+$' }),
      evil: text({ pattern: EVIL_PATTERN }),
      apiSecret: secretKey,
      timeout: text({ pattern: '^(0|(([0-9]+)y)?(([0-9]+)w)?(([0-9]+)d)?(([0-9]+)h)?(([0-9]+)m)?(([0-9]+)s)?)$' }),
      port: { 'x-kubernetes-int-or-string': true },
      retries: { type: 'integer', format: 'int32', minimum: 0, maximum: 10, default: 3 },
      headers: { type: 'object', maxProperties: 20, additionalProperties: text({ maxLength: 200 }) },
    },
  },
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['name'],
})

const receiver = (): Json => ({
  type: 'object',
  properties: {
    matchers: { type: 'array', maxItems: 20, items: matcher },
    ...Object.fromEntries(
      Array.from({ length: INTEGRATIONS }, (_, index) => [`integration${index}`, integration(index)]),
    ),
  },
})

export function largeCrd(): Json {
  const properties = Object.fromEntries(
    Array.from({ length: RECEIVERS }, (_, index) => [`receiver${index}`, receiver()]),
  )
  const schema = { type: 'object', properties: { spec: { type: 'object', properties } } }
  return crd({}, { schema: { openAPIV3Schema: schema } })
}

/** An object that uses every receiver. */
export function largeObject(name: string): Json {
  const one = (index: number): Json => ({
    matchers: [{ name: 'severity', matchType: '=', value: 'critical' }],
    integration0: [{ name: `a${index}`, apiURL: 'https://example.com/hook', timeout: '5m', headers: { a: 'b' } }],
    integration1: [{ name: `b${index}`, apiSecret: { key: 'token', name: 'secret' }, port: 'https', retries: 5 }],
  })
  const spec = Object.fromEntries(Array.from({ length: RECEIVERS }, (_, index) => [`receiver${index}`, one(index)]))
  return { apiVersion: 'example.com/v1', kind: 'Noxu', metadata: { name, namespace: 'default' }, spec }
}
