import { describe, expect, test } from 'vitest'
import { findings, type Sent, writeContext } from '../../../test/support/findings.ts'
import { deepFreeze } from '../../base/deep-freeze.ts'
import { mutatingWebhookConfigurations } from './mutating-webhook-configuration.ts'
import { validatingWebhookConfigurations } from './validating-webhook-configuration.ts'

const rule = { operations: ['CREATE'], apiGroups: ['apps'], apiVersions: ['v1'], resources: ['deployments'] }
const webhook = {
  name: 'check.example.com',
  clientConfig: { url: 'https://example.com' },
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
}
const configuration = (...webhooks: readonly object[]): Sent => ({ metadata: { name: 'config' }, webhooks })

describe('webhook configurations', () => {
  test('get the defaults of the API', () => {
    const sent = configuration({ ...webhook, clientConfig: { service: { namespace: 'a', name: 'b' } }, rules: [rule] })
    const defaults = {
      failurePolicy: 'Fail',
      matchPolicy: 'Equivalent',
      namespaceSelector: {},
      objectSelector: {},
      timeoutSeconds: 10,
      clientConfig: { service: { namespace: 'a', name: 'b', port: 443 } },
      rules: [{ ...rule, scope: '*' }],
    }
    expect(validatingWebhookConfigurations.default(deepFreeze(sent)).webhooks?.[0]).toEqual({ ...webhook, ...defaults })
    expect(mutatingWebhookConfigurations.default(deepFreeze(sent)).webhooks?.[0]).toEqual({
      ...webhook,
      ...defaults,
      reinvocationPolicy: 'Never',
    })
  })

  test('count a generation per change of their webhooks', () => {
    const first = validatingWebhookConfigurations.prepareForCreate(configuration(webhook), writeContext)
    expect(first.metadata.generation).toBe(1)
    const same = { ...first, metadata: { ...first.metadata, labels: { a: 'b' } } }
    expect(validatingWebhookConfigurations.prepareForUpdate(same, first, writeContext).metadata.generation).toBe(1)
    const fewer = { ...first, webhooks: [] }
    expect(validatingWebhookConfigurations.prepareForUpdate(fewer, first, writeContext).metadata.generation).toBe(2)
  })

  test.each<readonly [string, object, readonly string[]]>([
    ['a complete one', { rules: [rule] }, []],
    ['no name', { name: '' }, ['FieldValueRequired webhooks[0].name: Required value']],
    [
      'a short name',
      { name: 'k8s.io' },
      [
        'FieldValueInvalid webhooks[0].name: Invalid value: "k8s.io": ' +
          'should be a domain with at least three segments separated by dots',
      ],
    ],
    [
      'neither URL nor service',
      { clientConfig: {} },
      ['FieldValueRequired webhooks[0].clientConfig: Required value: exactly one of url or service is required'],
    ],
    [
      'a plain URL',
      { clientConfig: { url: 'http://user@example.com?a=b#c' } },
      [
        'FieldValueInvalid webhooks[0].clientConfig.url: Invalid value: "http": ' +
          "'https' is the only allowed URL scheme; desired format: https://host[/path]",
        'FieldValueInvalid webhooks[0].clientConfig.url: Invalid value: "user": ' +
          'user information is not permitted in the URL',
        'FieldValueInvalid webhooks[0].clientConfig.url: Invalid value: "c": fragments are not permitted in the URL',
        'FieldValueInvalid webhooks[0].clientConfig.url: Invalid value: "a=b": ' +
          'query parameters are not permitted in the URL',
      ],
    ],
    [
      'no URL at all',
      { clientConfig: { url: '' } },
      [
        'FieldValueInvalid webhooks[0].clientConfig.url: Invalid value: "": ' +
          "'https' is the only allowed URL scheme; desired format: https://host[/path]",
        'FieldValueInvalid webhooks[0].clientConfig.url: Invalid value: "": ' +
          'host must be specified; desired format: https://host[/path]',
      ],
    ],
    [
      'a service with a wrong path and port',
      { clientConfig: { service: { namespace: 'n', name: 's', path: 'a//b', port: 65536 } } },
      [
        'FieldValueInvalid webhooks[0].clientConfig.service.port: Invalid value: 65536: ' +
          'port is not valid: must be between 1 and 65535, inclusive',
        'FieldValueInvalid webhooks[0].clientConfig.service.path: Invalid value: "a//b": must start with a \'/\'',
        'FieldValueInvalid webhooks[0].clientConfig.service.path: Invalid value: "a//b": segment[0] may not be empty',
        'FieldValueInvalid webhooks[0].clientConfig.service.path: Invalid value: "a//b": segment[1] may not be empty',
      ],
    ],
    [
      'unknown choices',
      { failurePolicy: 'other', matchPolicy: 'other', sideEffects: 'Some', timeoutSeconds: 31 },
      [
        'FieldValueNotSupported webhooks[0].failurePolicy: Unsupported value: "other": supported values: ' +
          '"Fail", "Ignore"',
        'FieldValueNotSupported webhooks[0].matchPolicy: Unsupported value: "other": supported values: ' +
          '"Equivalent", "Exact"',
        'FieldValueNotSupported webhooks[0].sideEffects: Unsupported value: "Some": supported values: "None", ' +
          '"NoneOnDryRun"',
        'FieldValueInvalid webhooks[0].timeoutSeconds: Invalid value: 31: the timeout value must be between 1 ' +
          'and 30 seconds',
      ],
    ],
    [
      'no word on side effects and versions',
      { sideEffects: undefined, admissionReviewVersions: [] },
      [
        'FieldValueRequired webhooks[0].sideEffects: Required value: must specify one of None, NoneOnDryRun',
        'FieldValueRequired webhooks[0].admissionReviewVersions: Required value: must specify one of v1, v1beta1',
      ],
    ],
    [
      'versions nobody speaks',
      { admissionReviewVersions: ['v2', 'v2'] },
      [
        'FieldValueInvalid webhooks[0].admissionReviewVersions[1]: Invalid value: "v2": duplicate version',
        'FieldValueInvalid webhooks[0].admissionReviewVersions: Invalid value: ["v2","v2"]: must include at ' +
          'least one of v1, v1beta1',
      ],
    ],
    [
      'an empty rule',
      { rules: [{}] },
      ['operations', 'apiGroups', 'apiVersions', 'resources'].map(
        (field) => `FieldValueRequired webhooks[0].rules[0].${field}: Required value`,
      ),
    ],
    [
      'stars beside others',
      {
        rules: [
          {
            operations: ['CREATE', '*'],
            apiGroups: ['a', '*'],
            apiVersions: ['', '*'],
            resources: ['pods', '*'],
            scope: 'All',
          },
        ],
      },
      [
        'FieldValueInvalid webhooks[0].rules[0].operations: Invalid value: ["CREATE","*"]: if \'*\' is ' +
          'present, must not specify other operations',
        'FieldValueInvalid webhooks[0].rules[0].apiGroups: Invalid value: ["a","*"]: if \'*\' is present, must ' +
          'not specify other API groups',
        'FieldValueInvalid webhooks[0].rules[0].apiVersions: Invalid value: ["","*"]: if \'*\' is present, ' +
          'must not specify other API versions',
        'FieldValueRequired webhooks[0].rules[0].apiVersions[0]: Required value',
        'FieldValueNotSupported webhooks[0].rules[0].scope: Unsupported value: "All": supported values: "*", ' +
          '"Cluster", "Namespaced"',
      ],
    ],
    [
      'resources that others cover',
      { rules: [{ ...rule, resources: ['pods/*', 'pods/status', '*/scale', 'a/scale', '*/*'] }] },
      [
        'FieldValueInvalid webhooks[0].rules[0].resources[1]: Invalid value: "pods/status": if \'pods/*\' is ' +
          'present, must not specify pods/status',
        'FieldValueInvalid webhooks[0].rules[0].resources[3]: Invalid value: "a/scale": if \'*/scale\' is ' +
          'present, must not specify a/scale',
        'FieldValueInvalid webhooks[0].rules[0].resources: Invalid value: ' +
          '["pods/*","pods/status","*/scale","a/scale","*/*"]: ' +
          "if '*/*' is present, must not specify other resources",
      ],
    ],
    [
      'match conditions without and with the same name',
      { matchConditions: [{ expression: ' ' }, { name: 'a', expression: 'true' }, { name: 'a', expression: 'true' }] },
      [
        'FieldValueRequired webhooks[0].matchConditions[0].expression: Required value',
        'FieldValueRequired webhooks[0].matchConditions[0].name: Required value',
        'FieldValueDuplicate webhooks[0].matchConditions[2].name: Duplicate value: "a"',
      ],
    ],
  ])('%s', (_, change, expected) => {
    expect(findings(validatingWebhookConfigurations, configuration({ ...webhook, ...change }))).toEqual(expected)
    expect(findings(mutatingWebhookConfigurations, configuration({ ...webhook, ...change }))).toEqual(expected)
  })

  test('name every webhook once', () => {
    expect(findings(validatingWebhookConfigurations, configuration(webhook, webhook))).toEqual([
      'FieldValueDuplicate webhooks[1].name: Duplicate value: "check.example.com"',
    ])
  })

  test('know two ways of calling again', () => {
    const object = configuration({ ...webhook, reinvocationPolicy: 'Always' })
    expect(findings(mutatingWebhookConfigurations, object)).toEqual([
      'FieldValueNotSupported webhooks[0].reinvocationPolicy: Unsupported value: "Always": supported values: ' +
        '"IfNeeded", "Never"',
    ])
  })

  test('warn of names that are kept for files', () => {
    const object = { metadata: { name: 'a.static.k8s.io' } }
    expect(validatingWebhookConfigurations.warnings(object, undefined)).toHaveLength(1)
    expect(validatingWebhookConfigurations.warnings({ metadata: { name: 'a' } }, undefined)).toEqual([])
  })

  test('see no parameters in their conditions', () => {
    const matchConditions = [{ name: 'a', expression: ' params == null ' }]
    expect(findings(validatingWebhookConfigurations, configuration({ ...webhook, matchConditions }))).toEqual([
      'FieldValueInvalid webhooks[0].matchConditions[0].expression: Invalid value: "params == null": ' +
        `compilation failed: ERROR: <input>:1:1: undeclared reference to 'params' (in container '')\n | params == null\n | ^`,
    ])
  })
})
