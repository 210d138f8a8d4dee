import { describe, expect, test } from 'vitest'
import {
  findings,
  row,
  type Sent,
  statusFindings,
  updateFindings,
  writeContext,
} from '../../../test/support/findings.ts'
import { mutatingAdmissionPolicyBindings, validatingAdmissionPolicyBindings } from './admission-policy-bindings.ts'
import { mutatingAdmissionPolicies } from './mutating-admission-policy.ts'
import { validatingAdmissionPolicies } from './validating-admission-policy.ts'

const rule = { operations: ['CREATE'], apiGroups: ['apps'], apiVersions: ['v1'], resources: ['deployments'] }
const policy = (spec: object): Sent => ({ metadata: { name: 'policy' }, spec })
const matchConstraints = { resourceRules: [rule] }
const LABEL = 'a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters'

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
    mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression: '[JSONPatch{op: "test", path: "/a"}]' } }],
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

describe('expressions', () => {
  const validating = (spec: object): Sent =>
    policy({ matchConstraints, validations: [{ expression: 'true' }], ...spec })
  const mutating = (mutation: object, spec: object = {}): Sent =>
    policy({ matchConstraints, reinvocationPolicy: 'Never', mutations: [mutation], ...spec })
  const patch = (expression: string) => ({ patchType: 'JSONPatch', jsonPatch: { expression } })
  const apply = (expression: string) => ({ patchType: 'ApplyConfiguration', applyConfiguration: { expression } })
  const paramKind = { apiVersion: 'v1', kind: 'ConfigMap' }

  test.each<readonly [string, Sent]>([
    ['of objects, requests and namespaces', validating({ validations: [{ expression: 'object.a == request.name' }] })],
    ['of parameters, where there are some', validating({ paramKind, validations: [{ expression: 'params.a == 1' }] })],
    [
      'of variables',
      validating({ variables: [{ name: 'n', expression: '1' }], validations: [{ expression: 'variables.n < 5' }] }),
    ],
    [
      'of who may do what',
      validating({ validations: [{ expression: "authorizer.path('/a').check('get').allowed()" }] }),
    ],
    [
      'that are match conditions',
      validating({ matchConditions: [{ name: 'a', expression: 'object.a == oldObject.a' }] }),
    ],
  ])('%s are fine in validating policies', (_, object) => {
    expect(findings(validatingAdmissionPolicies, object)).toEqual([])
  })

  test.each<readonly [string, Sent]>([
    ['that apply', mutating(apply('Object{spec: Object.spec{replicas: 3}}'))],
    ['that patch', mutating(patch('[JSONPatch{op: "remove", path: "/a/" + jsonpatch.escapeKey("b/c")}]'))],
    ['of variables', mutating(apply('Object{a: variables.n}'), { variables: [{ name: 'n', expression: '1' }] })],
  ])('%s are fine in mutating policies', (_, object) => {
    expect(findings(mutatingAdmissionPolicies, object)).toEqual([])
  })

  const WRONG = 'compilation failed: ERROR: <input>:1:1:'

  test.each<readonly [string, object, readonly string[]]>([
    [
      'names that are not there',
      { validations: [{ expression: 'params.a == 1' }] },
      [`spec.validations[0].expression: Invalid value: "params.a == 1": ${WRONG} undeclared reference to 'params'`],
    ],
    [
      'validations that say neither yes nor no',
      { validations: [{ expression: '1' }] },
      ['spec.validations[0].expression: Invalid value: "1": must evaluate to bool but got int'],
    ],
    [
      'messages that are no text, and ask for rights',
      {
        validations: [
          { expression: 'true', messageExpression: '1' },
          { expression: 'true', messageExpression: "string(authorizer.path('/a').check('get').allowed())" },
        ],
      },
      [
        'spec.validations[0].messageExpression: Invalid value: "1": must evaluate to string but got int',
        'spec.validations[1].messageExpression: Invalid value: "string(authorizer',
      ],
    ],
    [
      'annotations that are neither text nor nothing',
      { auditAnnotations: [{ key: 'a', valueExpression: '1' }] },
      [
        'spec.auditAnnotations[0].valueExpression: Invalid value: "1": ' +
          'must evaluate to one of [string null_type] but got int',
      ],
    ],
    [
      'a wrong variable, once',
      { variables: [{ name: 'n', expression: 'x' }], validations: [{ expression: 'variables.n' }] },
      [
        `spec.variables[0].expression: Invalid value: "x": ${WRONG} undeclared reference to 'x'`,
        'spec.validations[0].expression: Invalid value: "variables.n": must evaluate to bool but got dyn',
      ],
    ],
    [
      'variables that come later',
      {
        variables: [
          { name: 'a', expression: 'variables.b' },
          { name: 'b', expression: '1' },
        ],
      },
      [
        'spec.variables[0].expression: Invalid value: "variables.b": compilation failed: ERROR: <input>:1:10: undefined',
      ],
    ],
  ])('find %s', (_, change, expected) => {
    const found = findings(validatingAdmissionPolicies, validating(change))
    expect(found).toEqual(expected.map((text) => expect.stringContaining(`FieldValueInvalid ${text}`)))
  })

  test('of patches come to patches', () => {
    expect(findings(mutatingAdmissionPolicies, mutating(patch('[]')))).toEqual([
      'FieldValueInvalid spec.mutations[0].jsonPatch.expression: Invalid value: "[]": ' +
        'must evaluate to list(JSONPatch) but got list(dyn)',
    ])
    expect(findings(mutatingAdmissionPolicies, mutating(apply('1')))).toEqual([
      'FieldValueInvalid spec.mutations[0].applyConfiguration.expression: Invalid value: "1": ' +
        'must evaluate to Object but got int',
    ])
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
