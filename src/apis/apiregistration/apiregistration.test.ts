import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { findings, row, type Sent, statusFindings, writeContext } from '../../../test/support/findings.ts'
import { deepFreeze } from '../../base/deep-freeze.ts'
import { apiServices } from './api-service.ts'
import { customApiService, localApiServices } from './automanaged.ts'

interface ServiceFacts {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly groupPriorityMinimum: number
  readonly versionPriority: number
}

const factsText = readFileSync(new URL('../../../openapi/facts/bootstrap.json', import.meta.url), 'utf8')
const facts = (JSON.parse(factsText) as { readonly apiServices: readonly ServiceFacts[] }).apiServices
const NAME = 'v1.example.com'
const numbers = { groupPriorityMinimum: 100, versionPriority: 10 }
const service = { namespace: 'default', name: 'web' }
const apiService = (spec: object, name = NAME): Sent => ({
  metadata: { name },
  spec: { group: 'example.com', version: 'v1', ...numbers, ...spec },
})

describe('APIServices', () => {
  test('of the server itself are available from the start', () => {
    const created = apiServices.prepareForCreate(apiServices.default(apiService({}) as never), writeContext)
    const condition = { type: 'Available', status: 'True', reason: 'Local' }
    expect(created.status?.conditions).toEqual([expect.objectContaining(condition)])
    expect(row(apiServices, created as never)).toMatchObject({ Service: 'Local', Available: 'True' })
  })

  test('of other servers are not known to be available', () => {
    const sent = { ...apiService({ service }), status: { conditions: [{ type: 'Available', status: 'True' }] } }
    const created = apiServices.prepareForCreate(apiServices.default(deepFreeze(sent) as never), writeContext)
    expect(created.status).toBeUndefined()
    expect(created.spec.service).toEqual({ ...service, port: 443 })
    expect(row(apiServices, created as never)).toMatchObject({ Service: 'default/web', Available: 'Unknown' })
  })

  test('show why they are not available', () => {
    const status = { conditions: [{ type: 'Available', status: 'False', reason: 'MissingEndpoints' }] }
    expect(row(apiServices, { ...apiService({ service }), status })).toMatchObject({
      Available: 'False (MissingEndpoints)',
    })
  })

  test.each<readonly [string, Sent, readonly string[]]>([
    ['a local one', apiService({}), []],
    ['one behind a Service', apiService({ service, caBundle: 'aGVsbG8=' }), []],
    [
      'another name',
      apiService({}, 'v1.other'),
      [
        'FieldValueInvalid metadata.name: Invalid value: "v1.other": ' +
          'must be `spec.version+"."+spec.group`: "v1.example.com"',
      ],
    ],
    [
      'no group',
      apiService({ group: '', version: 'v2' }, 'v2.'),
      [
        'FieldValueRequired spec.group: Required value: ' +
          'only v1 may have an empty group and it better be legacy kube',
      ],
    ],
    [
      'priorities out of range',
      apiService({ groupPriorityMinimum: 20_001, versionPriority: 0 }),
      [
        'FieldValueInvalid spec.groupPriorityMinimum: Invalid value: 20001: must be positive and less than 20000',
        'FieldValueInvalid spec.versionPriority: Invalid value: 0: must be positive and less than 1000',
      ],
    ],
    [
      'trust in nobody',
      apiService({ caBundle: 'aGVsbG8=', insecureSkipTLSVerify: true }),
      [
        'FieldValueInvalid spec.caBundle: Invalid value: "5 bytes": local APIServices may not have a caBundle',
        'FieldValueInvalid spec.insecureSkipTLSVerify: Invalid value: true: ' +
          'local APIServices may not have insecureSkipTLSVerify',
      ],
    ],
    [
      'a Service that cannot be',
      apiService({ service: { port: 70_000 }, caBundle: 'aGVsbG8=', insecureSkipTLSVerify: true }),
      [
        'FieldValueRequired spec.service.namespace: Required value',
        'FieldValueRequired spec.service.name: Required value',
        'FieldValueInvalid spec.service.port: Invalid value: 70000: ' +
          'port is not valid: must be between 1 and 65535, inclusive',
        'FieldValueInvalid spec.insecureSkipTLSVerify: Invalid value: true: may not be true if caBundle is present',
      ],
    ],
  ])('%s', (_, object, expected) => {
    expect(findings(apiServices, object)).toEqual(expected)
  })

  test('have conditions that are true, false or unknown', () => {
    const object = { ...apiService({}), status: { conditions: [{ type: 'Available', status: 'Maybe' }] } }
    expect(statusFindings(apiServices.status, object, apiService({}))).toEqual([
      'FieldValueNotSupported status.conditions[0].status: Unsupported value: "Maybe": ' +
        'supported values: "True", "False", "Unknown"',
    ])
  })
})

describe('what the server registers by itself', () => {
  test('is what the facts say', () => {
    const served = facts.map(({ name }) => ({ group: name.slice(name.indexOf('.') + 1), version: name.slice(0, 2) }))
    expect(localApiServices(served)).toEqual(
      facts.map(({ name, labels, ...priorities }, index) => ({
        metadata: { name, labels },
        spec: { ...served[index], ...priorities },
      })),
    )
  })

  test('names every group version once, and none that is not its own', () => {
    const apps = { group: 'apps', version: 'v1' }
    const names = localApiServices([apps, apps, { group: 'example.com', version: 'v1' }]).map(
      ({ metadata }) => metadata.name,
    )
    expect(names).toEqual(['v1.apps'])
  })

  test('puts custom resources behind its own', () => {
    expect(customApiService({ group: 'example.com', version: 'v1' })).toEqual({
      metadata: { name: NAME, labels: { 'kube-aggregator.kubernetes.io/automanaged': 'true' } },
      spec: { group: 'example.com', version: 'v1', groupPriorityMinimum: 1000, versionPriority: 100 },
    })
  })
})
