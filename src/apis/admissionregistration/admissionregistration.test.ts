import { describe, expect, test } from 'vitest'
import {
  findings,
  row,
  type Sent,
  statusFindings,
  updateFindings,
  writeContext,
} from '../../../test/support/findings.ts'
import { deepFreeze } from '../../base/deep-freeze.ts'
import { mutatingAdmissionPolicyBindings, validatingAdmissionPolicyBindings } from './admission-policy-bindings.ts'
import { mutatingAdmissionPolicies } from './mutating-admission-policy.ts'
import { mutatingWebhookConfigurations } from './mutating-webhook-configuration.ts'
import { validatingAdmissionPolicies } from './validating-admission-policy.ts'
import { validatingWebhookConfigurations } from './validating-webhook-configuration.ts'

const rule = { operations: ['CREATE'], apiGroups: ['apps'], apiVersions: ['v1'], resources: ['deployments'] }
const webhook = {
  name: 'check.example.com',
  clientConfig: { url: 'https://example.com' },
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
}
const configuration = (...webhooks: readonly object[]): Sent => ({ metadata: { name: 'config' }, webhooks })
const policy = (spec: object): Sent => ({ metadata: { name: 'policy' }, spec })
const matchConstraints = { resourceRules: [rule] }
const LABEL = 'a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters'

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
})

describe('validating policies', () => {
  const complete = { matchConstraints, validations: [{ expression: 'true' }] }

  test.each<readonly [string, object, readonly string[]]>([
    ['a complete one', {}, []],
    ['nothing to match', { matchConstraints: undefined }, ['FieldValueRequired spec.matchConstraints: Required value']],
    ['no rules', { matchConstraints: {} }, ['FieldValueRequired spec.matchConstraints.resourceRules: Required value']],
    [
      'nothing to do',
      { validations: [] },
      ['validations', 'auditAnnotations'].map(
        (field) =>
          `FieldValueRequired spec.${field}: Required value: validations or auditAnnotations must contain at ` +
          `least one item`,
      ),
    ],
    [
      'a kind of parameters that cannot be',
      { paramKind: { apiVersion: 'a/b/c', kind: 'Bad_Kind' } },
      [
        'FieldValueInvalid spec.paramKind.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c',
        'FieldValueInvalid spec.paramKind.kind: Invalid value: "Bad_Kind": may have mixed case, but should ' +
          'otherwise match: ' +
          "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an " +
          'alphabetic character, ' +
          "and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is " +
          "'[a-z]([-a-z0-9]*[a-z0-9])?')",
      ],
    ],
    [
      'variables without a proper name',
      {
        variables: [
          { name: '', expression: '' },
          { name: 'for', expression: '1' },
        ],
      },
      [
        'FieldValueRequired spec.variables[0].name: Required value: name is not specified',
        'FieldValueRequired spec.variables[0].expression: Required value: expression is not specified',
        'FieldValueInvalid spec.variables[1].name: Invalid value: "for": must be a valid CEL identifier',
      ],
    ],
    [
      'texts that say nothing',
      { validations: [{ expression: ' ', messageExpression: ' ', message: ' ', reason: 'Because' }] },
      [
        'FieldValueRequired spec.validations[0].expression: Required value: expression is not specified',
        'FieldValueInvalid spec.validations[0].messageExpression: Invalid value: " ": must be non-empty if specified',
        'FieldValueInvalid spec.validations[0].message: Invalid value: " ": must be non-empty if specified',
        'FieldValueNotSupported spec.validations[0].reason: Unsupported value: "Because": supported values: ' +
          '"Forbidden", "Invalid", "RequestEntityTooLarge"',
      ],
    ],
    [
      'a message of two lines',
      { validations: [{ expression: 'true', message: 'a\nb' }] },
      ['FieldValueInvalid spec.validations[0].message: Invalid value: "a\\nb": must not contain line breaks'],
    ],
    [
      'annotations with the same key and without a value',
      {
        auditAnnotations: [
          { key: 'a', valueExpression: '"x"' },
          { key: 'a', valueExpression: '' },
        ],
      },
      [
        'FieldValueRequired spec.auditAnnotations[1].valueExpression: Required value: valueExpression is not specified',
        'FieldValueDuplicate spec.auditAnnotations[1].key: Duplicate value: "a"',
      ],
    ],
  ])('%s', (_, change, expected) => {
    expect(findings(validatingAdmissionPolicies, policy({ ...complete, ...change }))).toEqual(expected)
  })

  test('show how many rules they have and what their parameters are', () => {
    const object = policy({ ...complete, paramKind: { apiVersion: 'v1', kind: 'ConfigMap' } })
    expect(row(validatingAdmissionPolicies, object)).toMatchObject({ Validations: 1, ParamKind: 'v1/ConfigMap' })
    expect(row(validatingAdmissionPolicies, policy(complete))).toMatchObject({ ParamKind: '<unset>' })
  })

  test('have a status of warnings and conditions', () => {
    const status = {
      typeChecking: {
        expressionWarnings: [
          { fieldRef: '', warning: '' },
          { fieldRef: 'spec.a[', warning: 'w' },
        ],
      },
      conditions: [{ type: 'a', status: 'Maybe', reason: '', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' }],
    }
    const object = { ...policy(complete), status }
    expect(statusFindings(validatingAdmissionPolicies.status, object, policy(complete))).toEqual([
      'FieldValueRequired status.typeChecking.expressionWarnings[0].warning: Required value',
      'FieldValueRequired status.typeChecking.expressionWarnings[0].fieldRef: Required value',
      'FieldValueInvalid status.typeChecking.expressionWarnings[1].fieldRef: Invalid value: "spec.a[": invalid ' +
        'JSONPath: unterminated array',
      'FieldValueNotSupported status.conditions[0].status: Unsupported value: "Maybe": supported values: ' +
        '"False", "True", "Unknown"',
      'FieldValueRequired status.conditions[0].reason: Required value',
    ])
  })

  test('do not change but for their status through /status', () => {
    const live = validatingAdmissionPolicies.default({
      metadata: { name: 'policy', labels: { a: 'b' }, generation: 3 },
      spec: { failurePolicy: 'Ignore' },
    })
    const sent = validatingAdmissionPolicies.default({
      metadata: { name: 'policy' },
      spec: {},
      status: { observedGeneration: 3 },
    })
    const updated = validatingAdmissionPolicies.status?.prepareForUpdate(sent, live, writeContext)
    expect(updated).toEqual({ ...live, status: { observedGeneration: 3 } })
  })
})

describe('mutating policies', () => {
  const complete = {
    matchConstraints,
    reinvocationPolicy: 'Never',
    mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression: '[]' } }],
  }

  test.each<readonly [string, object, readonly string[]]>([
    ['a complete one', {}, []],
    [
      'deletions, which nobody can change',
      { matchConstraints: { resourceRules: [{ ...rule, operations: ['DELETE'] }] } },
      [
        'FieldValueNotSupported spec.matchConstraints.resourceRules.operations: Unsupported value: "DELETE": ' +
          'supported values: "*", "CONNECT", "CREATE", "UPDATE"',
      ],
    ],
    [
      'nothing to do, and no word on doing it again',
      { mutations: [], reinvocationPolicy: undefined },
      [
        'FieldValueRequired spec.mutations: Required value: mutations must contain at least one item',
        'FieldValueRequired spec.reinvocationPolicy: Required value',
      ],
    ],
    [
      'patches of other types than they say',
      {
        mutations: [
          { patchType: 'JSONPatch', applyConfiguration: { expression: 'x' } },
          { patchType: 'ApplyConfiguration', applyConfiguration: { expression: ' ' }, jsonPatch: { expression: '' } },
          { patchType: 'Other' },
          {},
        ],
      },
      [
        'FieldValueRequired spec.mutations[0].jsonPatch: Required value: must be specified when patchType is JSONPatch',
        'FieldValueInvalid spec.mutations[0].applyConfiguration: Invalid value: "{applyConfiguration}": must ' +
          'not be specified when patchType is JSONPatch',
        'FieldValueRequired spec.mutations[1].applyConfiguration.expression: Required value',
        'FieldValueInvalid spec.mutations[1].jsonPatch: Invalid value: "{jsonPatch}": must not be specified ' +
          'when patchType is ApplyConfiguration',
        'FieldValueNotSupported spec.mutations[2].patchType: Unsupported value: "Other": supported values: ' +
          '"ApplyConfiguration", "JSONPatch"',
        'FieldValueRequired spec.mutations[3].patchType: Required value',
      ],
    ],
  ])('%s', (_, change, expected) => {
    expect(findings(mutatingAdmissionPolicies, policy({ ...complete, ...change }))).toEqual(expected)
  })
})

describe('policy bindings', () => {
  test.each<readonly [string, object, readonly string[]]>([
    ['a complete one', { policyName: 'p', validationActions: ['Deny'] }, []],
    [
      'nothing',
      {},
      [
        'FieldValueRequired spec.policyName: Required value',
        'FieldValueRequired spec.validationActions: Required value: at least one validation action is required',
      ],
    ],
    [
      'actions that do not go together',
      { policyName: 'p', validationActions: ['Deny', 'Warn', 'Warn', 'Run'] },
      [
        'FieldValueDuplicate spec.validationActions[2]: Duplicate value: "Warn"',
        'FieldValueNotSupported spec.validationActions[3]: Unsupported value: "Run": supported values: ' +
          '"Audit", "Deny", "Warn"',
        'FieldValueInvalid spec.validationActions: Invalid value: ["Deny","Warn","Warn","Run"]: must not ' +
          'contain both Deny and Warn ' +
          '(repeating the same validation failure information in the API response and headers serves no purpose)',
      ],
    ],
    [
      'parameters by name and by labels',
      { policyName: 'p', validationActions: ['Deny'], paramRef: { name: 'a', selector: {} } },
      [
        'FieldValueForbidden spec.paramRef.name: Forbidden: name and selector are mutually exclusive',
        'FieldValueForbidden spec.paramRef.selector: Forbidden: name and selector are mutually exclusive',
        'FieldValueRequired spec.paramRef.parameterNotFoundAction: Required value',
      ],
    ],
  ])('%s', (_, spec, expected) => {
    expect(findings(validatingAdmissionPolicyBindings, policy(spec))).toEqual(expected)
  })

  test('of mutating policies do not match deletions', () => {
    const matchResources = { resourceRules: [{ ...rule, operations: ['DELETE'], resourceNames: ['a/b', 'c', 'c'] }] }
    expect(findings(mutatingAdmissionPolicyBindings, policy({ policyName: 'P!', matchResources }))).toEqual([
      expect.stringContaining(`FieldValueInvalid spec.policyName: Invalid value: "P!": ${LABEL}`),
      'FieldValueInvalid spec.matchResources.resourceRules[0].resourceNames[0]: Invalid value: "a/b": may not ' +
        "contain '/'",
      'FieldValueDuplicate spec.matchResources.resourceRules[0].resourceNames[2]: Duplicate value: "c"',
      'FieldValueNotSupported spec.matchResources.resourceRules.operations: Unsupported value: "DELETE": ' +
        'supported values: "*", "CONNECT", "CREATE", "UPDATE"',
    ])
  })

  test('show where their parameters come from', () => {
    const shown = (paramRef?: object) =>
      row(mutatingAdmissionPolicyBindings, policy({ policyName: 'p', paramRef })).ParamRef
    expect(shown()).toBe('<unset>')
    expect(shown({ name: 'a' })).toBe('*/a')
    expect(shown({ name: 'a', namespace: 'n' })).toBe('n/a')
    expect(shown({ selector: { matchLabels: { a: 'b' } } })).toBe(
      '&LabelSelector{MatchLabels:map[string]string{a: b,},MatchExpressions:[]LabelSelectorRequirement{},}',
    )
  })

  test('may change in every field', () => {
    const before = policy({ policyName: 'p', validationActions: ['Deny'] })
    const after = policy({ policyName: 'q', validationActions: ['Warn'] })
    expect(updateFindings(validatingAdmissionPolicyBindings, after, before)).toEqual([])
  })
})
