import { type ErrorObject, Ajv as Library } from 'ajv'
import { expect, test } from 'vitest'
import { AUTHENTICATION_CONFIGURATION } from '../../server/auth/oidc/configuration.ts'
import { AUTHORIZATION_CONFIGURATION } from '../../server/auth/structured/authorization-configuration.ts'
import { SECURITY_SCHEMA } from './settings.ts'
import { findingsIn } from './strict-document.ts'

const SCHEMA = {
  type: 'object',
  additionalProperties: false,
  required: ['kind', 'security'],
  properties: {
    kind: { type: 'string', const: 'Test' },
    version: { type: 'string', enum: ['v1', 'v2'] },
    port: { type: 'integer', minimum: 0, maximum: 65_535 },
    security: SECURITY_SCHEMA,
    authentication: { type: 'object', properties: AUTHENTICATION_CONFIGURATION.properties },
    authorization: { type: 'object', properties: AUTHORIZATION_CONFIGURATION.properties },
  },
}

const GOOD = {
  kind: 'Test',
  version: 'v2',
  port: 6443,
  security: {
    audit: { enabled: false, log: { path: '-', maxSize: 1 }, webhook: { kubeconfig: 'k', mode: 'batch' } },
    encryption: { config: 'e.yaml' },
  },
  authentication: {
    jwt: [{ issuer: { url: 'https://a', discoveryURL: null, audiences: ['a'] }, userValidationRules: null }],
    anonymous: { enabled: true, conditions: [{ path: '/livez' }] },
  },
  authorization: { authorizers: [{ type: 'Webhook', webhook: { cacheAuthorizedRequests: true, timeout: '3s' } }] },
}

/** What stands in for a value of the document, so that every rule is broken somewhere. */
const OTHERS = [null, '', 'x', -1, 1.5, 70_000, true, [], [1], {}, { a: 1 }, { kubeconfig: '' }]

/** The document with each of its values replaced by each of the others, left out, or with a field beside it. */
function* variants(value: unknown): Generator<unknown> {
  yield* OTHERS
  if (Array.isArray(value))
    for (const [index, item] of value.entries()) for (const other of variants(item)) yield value.with(index, other)
  else if (typeof value === 'object' && value !== null) {
    for (const [name, field] of Object.entries(value)) {
      for (const other of variants(field)) yield { ...value, [name]: other }
      yield Object.fromEntries(Object.entries(value).filter(([other]) => other !== name))
      yield { ...value, [`${name}x`]: field }
    }
  }
}

/** What a library for JSON schema finds, in the words of people. */
function expectedFindings() {
  const validate = new Library({ allErrors: true, strict: false, verbose: true }).compile(SCHEMA)
  return (document: unknown) => (validate(document) ? [] : (validate.errors ?? []).map(sentence))
}

function sentence({ instancePath, message, params, keyword }: ErrorObject): string {
  const path = instancePath.slice(1).replace(/\/(\d+)/g, '[$1]')
  const place = path.replaceAll('/', '.') || 'the document'
  if (keyword === 'enum') return `${place}: must be ${params.allowedValues.join(' or ')}`
  if (keyword === 'const') return `${place}: must be ${params.allowedValue}`
  return keyword === 'additionalProperties'
    ? `${place}: unknown field "${params.additionalProperty}"`
    : `${place}: ${message}`
}

const withoutGuess = (finding: string) => finding.replace(/\. Did you mean .*/, '')

test('a document is found to be what a library for JSON schema finds it to be', () => {
  const expected = expectedFindings()
  expect(findingsIn(GOOD, SCHEMA)).toEqual([])
  const all = [...variants(GOOD)]
  expect(all.length).toBeGreaterThan(400)
  for (const document of all)
    expect(findingsIn(document, SCHEMA).map(withoutGuess), JSON.stringify(document)).toEqual(expected(document))
})

test('a field is told with the one that was probably meant', () => {
  expect(findingsIn({ cout: 1 }, { type: 'object', additionalProperties: false, properties: { count: {} } })).toEqual([
    'the document: unknown field "cout". Did you mean "count"?',
  ])
})

test('a schema with another keyword is a mistake in the program', () => {
  expect(() => findingsIn('a', { type: 'string', pattern: 'b' })).toThrow('documents are not described by pattern')
})
