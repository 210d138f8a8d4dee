import { describe, expect, test } from 'vitest'
import { customResourceDefinitions } from './custom-resource-definition.ts'
import type { CustomResourceDefinition, CustomResourceDefinitionSpec, JSONSchemaProps } from './types.gen.ts'

const specOf = (schema: JSONSchemaProps = { type: 'object' }): CustomResourceDefinitionSpec => ({
  group: 'example.com',
  scope: 'Namespaced',
  names: { plural: 'noxus', singular: 'noxu', kind: 'Noxu', listKind: 'NoxuList' },
  versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }],
  conversion: { strategy: 'None' },
})

const crd = (spec: Partial<CustomResourceDefinitionSpec>): CustomResourceDefinition => ({
  metadata: { name: 'noxus.example.com' },
  spec: { ...specOf(), ...spec },
  status: { storedVersions: ['v1'] },
})

const texts = (object: CustomResourceDefinition): readonly string[] =>
  customResourceDefinitions.validate(object).map(({ path, message }) => `${path}: ${message}`)

const ofField = (field: JSONSchemaProps): readonly string[] =>
  texts(crd(specOf({ type: 'object', properties: { a: field } }))).map((text) => text.replace(SCHEMA, ''))

/** Where upstream finds what all versions have in common. */
const SCHEMA = 'spec.validation.openAPIV3Schema.'
const A = 'properties[a]'

test('a small definition is valid', () => {
  expect(texts(crd({}))).toEqual([])
})

describe('a definition is refused', () => {
  const [version] = specOf().versions
  test.each<[string, Partial<CustomResourceDefinitionSpec>, string]>([
    [
      'without a dot in its group',
      { group: 'example' },
      'spec.group: Invalid value: "example": should be a domain with at least one dot',
    ],
    ['without a scope', { scope: '' }, 'spec.scope: Required value'],
    [
      'with an odd scope',
      { scope: 'World' },
      'spec.scope: Unsupported value: "World": supported values: "Cluster", "Namespaced"',
    ],
    [
      'whose only version has no name for one',
      {
        versions: [
          { served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } }, name: `v${'1'.repeat(63)}` },
        ],
      },
      `spec.version: Invalid value: "v${'1'.repeat(63)}": must be no more than 63 characters`,
    ],
    [
      'without versions',
      { versions: [] },
      'spec.versions: Invalid value: []: must have exactly one version marked as storage version',
    ],
    [
      'with one name for kind and list',
      { names: { plural: 'noxus', singular: 'noxu', kind: 'Noxu', listKind: 'Noxu' } },
      'spec.names.listKind: Invalid value: "Noxu": kind and listKind may not be the same',
    ],
    [
      'whose webhook is nowhere',
      { conversion: { strategy: 'Webhook' } },
      'spec.conversion.webhookClientConfig: Required value: required when strategy is set to Webhook',
    ],
    [
      'with a schema in no version',
      { versions: version ? [{ ...version, schema: undefined }] : [] },
      'spec.versions[0].schema.openAPIV3Schema: Required value',
    ],
    [
      'with an odd column',
      {
        versions: version
          ? [{ ...version, additionalPrinterColumns: [{ name: 'A', type: 'odd', jsonPath: 'x' }] }]
          : [],
      },
      'spec.additionalPrinterColumns[0].type: Invalid value: "odd": must be one of boolean,date,integer,number,string',
    ],
    [
      'with replicas outside of the spec',
      {
        versions: version
          ? [{ ...version, subresources: { scale: { specReplicasPath: '.x', statusReplicasPath: '.status.r' } } }]
          : [],
      },
      'spec.subresources.scale.specReplicasPath: Invalid value: ".x": should be a json path under .spec',
    ],
  ])('%s', (_behaviour, spec, expected) => {
    expect(texts(crd(spec))).toContain(expected)
  })
})

describe('a schema is refused', () => {
  test.each<[string, JSONSchemaProps, string]>([
    ['without a type', {}, `${A}.type: Required value: must not be empty for specified object fields`],
    ['with a list of nothing', { type: 'array' }, `${A}.items: Required value: must be specified`],
    [
      'with a type in logic',
      { type: 'string', anyOf: [{ type: 'string' }] },
      `${A}.anyOf[0].type: Forbidden: must be empty to be structural`,
    ],
    [
      'with a broken pattern',
      { type: 'string', pattern: '(' },
      `${A}.pattern: Invalid value: "(": must be a valid regular expression, but isn't: ` +
        'error parsing regexp: missing closing ): `(`',
    ],
    [
      'with unique items',
      { type: 'array', uniqueItems: true, items: { type: 'string' } },
      `${A}.uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic`,
    ],
    [
      'with a default of another type',
      { type: 'integer', default: 'x' },
      `${A}.default: Invalid value: "string": ${SCHEMA}${A}.default in body must be of type integer: "string"`,
    ],
    [
      'with a default of unknown fields',
      { type: 'object', default: { x: 1 } },
      `${A}.default: Invalid value: {"x":1}: must not have unknown fields`,
    ],
    [
      'with keys that may be absent',
      {
        type: 'array',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['k'],
        items: { type: 'object', properties: { k: { type: 'string' } } },
      },
      `${A}.items.properties[k].default: Required value: this property is in x-kubernetes-list-map-keys, ` +
        'so it must have a default or be a required property',
    ],
    [
      'with an expression of another type',
      { type: 'string', 'x-kubernetes-validations': [{ rule: 'self' }] },
      `${A}.x-kubernetes-validations[0].rule: Invalid value: {"Rule":"self","Message":"","MessageExpression":"",` +
        '"Reason":null,"FieldPath":"","OptionalOldSelf":null}: cel expression must evaluate to a bool',
    ],
  ])('%s', (_behaviour, field, expected) => {
    expect(ofField(field)).toContain(expected)
  })
})

test('logic at the root names only what is declared', () => {
  const schema = { type: 'object', allOf: [{ properties: { b: { minimum: 1 } } }] }
  expect(texts(crd(specOf(schema)))).toContain(
    `${SCHEMA}properties[b]: Required value: because it is defined in ${SCHEMA}allOf[0].properties[b]`,
  )
})

test('an update may keep what came before a rule, and not bring it anew', () => {
  const loose = specOf({
    type: 'object',
    properties: { a: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'object' } } },
  })
  const errors = (previous: CustomResourceDefinitionSpec): number =>
    customResourceDefinitions.validateUpdate(crd(loose), crd(previous)).length
  expect(errors(loose)).toBe(0)
  expect(errors(specOf())).toBe(1)
})
