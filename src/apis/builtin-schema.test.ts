import { describe, expect, test } from 'vitest'
import { canonical } from '../machinery/schema/canonical.ts'
import { cannotBeHandled, checkFields, FieldTypeError } from '../machinery/schema/decode.ts'
import type { Schema } from '../machinery/schema/schema.ts'
import { validateValue } from '../machinery/schema/validate.ts'
import { builtinSchema, definitionNames } from './builtin-schema.ts'

const deployment = builtinSchema('apps.v1.Deployment')
const pod = builtinSchema('core.v1.Pod')

function failureOf(value: unknown): string {
  try {
    checkFields(value, deployment)
    return ''
  } catch (error) {
    if (error instanceof FieldTypeError) return cannotBeHandled('Deployment', 'v1', error.message)
    throw error
  }
}

describe('schemas of built-in types', () => {
  test('every definition of the facts expands', () => {
    for (const name of definitionNames()) builtinSchema(name).properties
    expect(definitionNames().length).toBeGreaterThan(500)
  })

  test('a recursive type is a cycle', () => {
    const schema = builtinSchema('apiextensions.v1.JSONSchemaProps')
    expect(schema.properties?.not?.properties).toBe(schema.properties)
  })

  test('only non-zero defaults are defaulting instructions', () => {
    const ports = builtinSchema('core.v1.ContainerPort').properties
    expect(ports?.protocol?.default).toBe('TCP')
    expect(ports?.containerPort?.default).toBeUndefined()
  })

  test('lists carry the keys of both merge systems', () => {
    const ports = builtinSchema('core.v1.Container').properties?.ports
    expect(ports?.['x-kubernetes-list-map-keys']).toEqual(['containerPort', 'protocol'])
    expect(ports?.['x-kubernetes-patch-merge-key']).toBe('containerPort')
  })

  test('a name the facts do not have is refused', () => {
    expect(() => builtinSchema('core.v1.Nothing')).toThrow('there is no definition core.v1.Nothing')
    expect(() => builtinSchema('constructor')).toThrow()
  })
})

describe('fields of built-in objects', () => {
  test('unknown fields are named by path', () => {
    const value = {
      metadata: { name: 'web', colour: 'red', labels: { anything: 'goes' } },
      spec: { foo: 1, template: { spec: { containers: [{ name: 'a' }, { nmae: 'b' }] } } },
    }
    expect(checkFields(value, deployment)).toEqual([
      'unknown field "metadata.colour"',
      'unknown field "spec.foo"',
      'unknown field "spec.template.spec.containers[1].nmae"',
    ])
  })

  test('a key called __proto__ is a field like any other', () => {
    expect(checkFields(JSON.parse('{"spec":{"__proto__":{}}}'), deployment)).toEqual(['unknown field "spec.__proto__"'])
    expect(checkFields({ spec: { constructor: 1 } }, deployment)).toEqual(['unknown field "spec.constructor"'])
  })

  test.each([
    [
      { spec: { replicas: '3' } },
      'json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    [
      { spec: { replicas: 1.5 } },
      'json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    [
      { spec: { replicas: 3e9 } },
      'json: cannot unmarshal number 3000000000 into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    [
      { metadata: { labels: { a: 1 } } },
      'json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string',
    ],
    [{ spec: [] }, 'json: cannot unmarshal array into Go struct field Deployment.spec of type v1.DeploymentSpec'],
    [
      { spec: { template: { spec: { containers: {} } } } },
      'json: cannot unmarshal object into Go struct field PodSpec.spec.template.spec.containers of type []v1.Container',
    ],
    [
      { spec: { paused: 'yes' } },
      'json: cannot unmarshal string into Go struct field DeploymentSpec.spec.paused of type bool',
    ],
    [
      { metadata: { creationTimestamp: 'now' } },
      'parsing time "now" as "2006-01-02T15:04:05Z07:00": cannot parse "now" as "2006"',
    ],
    [
      { spec: { strategy: { rollingUpdate: { maxSurge: true } } } },
      'json: cannot unmarshal bool into Go struct field RollingUpdateDeployment.spec.strategy.rollingUpdate.maxSurge of type int32',
    ],
  ])('%j cannot be read', (value, text) => {
    expect(failureOf(value)).toBe(`Deployment in version "v1" cannot be handled as a Deployment: ${text}`)
  })

  test('numbers that would change are refused, nulls are not', () => {
    expect(failureOf({ metadata: { generation: 2 ** 53 } })).toContain('of type int64')
    expect(failureOf({ spec: { replicas: null, template: null, strategy: { type: null } } })).toBe('')
  })

  test('a quantity must be one', () => {
    const value = { spec: { template: { spec: { containers: [{ resources: { limits: { cpu: 'lots' } } }] } } } }
    expect(failureOf(value)).toContain('quantities must match the regular expression')
  })
})

test('schemas inside a custom resource definition are checked and written like any struct', () => {
  const schema = builtinSchema('apiextensions.v1.JSONSchemaProps')
  const value = {
    items: { type: 'object', odd: 1 },
    additionalProperties: true,
    properties: { a: { default: { z: 1, a: 2 } } },
  }
  expect(checkFields(value, schema)).toEqual(['unknown field "items.odd"'])
  expect(JSON.stringify(canonical(value, schema))).toBe(
    '{"items":{"type":"object"},"properties":{"a":{"default":{"a":2,"z":1}}},"additionalProperties":true}',
  )
})

test('the metadata of a custom object is a built-in type: checked, pruned and written as such', () => {
  const schema: Schema = {
    type: 'object',
    properties: { metadata: builtinSchema('meta.v1.ObjectMeta'), spec: { type: 'object' } },
  }
  const value = {
    metadata: { name: 'a', odd: 1, creationTimestamp: null, labels: { b: '2', a: '1' } },
    spec: { b: 1, a: 2 },
  }
  expect(checkFields(value, schema)).toEqual([
    'unknown field "spec.a"',
    'unknown field "spec.b"',
    'unknown field "metadata.odd"',
  ])
  expect(validateValue(value, schema)).toEqual([])
  expect(JSON.stringify(canonical(value, schema))).toBe(
    '{"metadata":{"name":"a","labels":{"a":"1","b":"2"}},"spec":{"a":2,"b":1}}',
  )
})

describe('the canonical form of built-in objects', () => {
  const written = canonical(
    { metadata: { name: 'web' }, spec: { template: { spec: { containers: [{ name: 'a' }] } } } },
    deployment,
  )

  test('required and struct fields are written even when nobody set them, in the order of the server', () => {
    expect(JSON.stringify(written)).toBe(
      '{"metadata":{"name":"web"},"spec":{"selector":null,' +
        '"template":{"metadata":{},"spec":{"containers":[{"name":"a","resources":{}}]}},"strategy":{}},"status":{}}',
    )
  })

  test('canonicalising twice is canonicalising once', () => {
    expect(canonical(written, deployment)).toEqual(written)
  })

  test('empty optional values disappear, empty required lists are null, set pointers stay', () => {
    const value = {
      metadata: { name: '', labels: {}, finalizers: [], generation: 0, creationTimestamp: null },
      spec: { nodeName: '', hostNetwork: false, enableServiceLinks: false, activeDeadlineSeconds: 0, containers: [] },
    }
    expect(canonical(value, pod)).toEqual({
      metadata: {},
      spec: { containers: null, enableServiceLinks: false, activeDeadlineSeconds: 0 },
      status: {},
    })
  })

  test('unknown fields, quantities and times get their stored form', () => {
    const value = {
      metadata: { creationTimestamp: '2026-01-02T03:04:05.678+01:00', labels: { b: '2', a: '1' } },
      spec: { colour: 1, containers: [{ name: 'a', resources: { limits: { memory: '1024Mi', cpu: 0.5 } } }] },
    }
    const { metadata, spec } = canonical<Record<string, unknown>>(value, pod)
    expect(JSON.stringify(metadata)).toBe('{"creationTimestamp":"2026-01-02T02:04:05Z","labels":{"a":"1","b":"2"}}')
    expect(spec).toEqual({ containers: [{ name: 'a', resources: { limits: { cpu: '500m', memory: '1Gi' } } }] })
  })

  test('times that are always written are null when unset', () => {
    const event = canonical<Record<string, unknown>>({}, builtinSchema('core.v1.Event'))
    expect(event).toMatchObject({ eventTime: null, firstTimestamp: null, involvedObject: {}, source: {} })
    expect(canonical({ spec: { renewTime: '2026-01-02T03:04:05Z' } }, builtinSchema('coordination.v1.Lease'))).toEqual({
      metadata: {},
      spec: { renewTime: '2026-01-02T03:04:05.000000Z' },
    })
  })
})
