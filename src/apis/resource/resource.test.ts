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
import { deviceClasses } from './device-class.ts'
import { resourceClaims } from './resource-claim.ts'
import { resourceClaimTemplates } from './resource-claim-template.ts'
import { resourceSlices } from './resource-slice.ts'

const DOMAIN = 'gpu.example.com'
const request = { name: 'gpu', exactly: { deviceClassName: DOMAIN } }
const claim = (devices: object, status?: object): Sent => ({
  metadata: { name: 'claim', namespace: 'default' },
  spec: { devices },
  ...(status === undefined ? {} : { status }),
})

describe('claims', () => {
  test('ask for one device when they do not say how many', () => {
    const sent = claim({ requests: [request, { name: 'any', firstAvailable: [{ name: 'a', deviceClassName: 'b' }] }] })
    const { requests } = resourceClaims.default(deepFreeze(sent as never)).spec.devices ?? {}
    expect(requests?.[0]?.exactly).toEqual({ deviceClassName: DOMAIN, allocationMode: 'ExactCount', count: 1 })
    expect(requests?.[1]?.firstAvailable?.[0]).toMatchObject({ allocationMode: 'ExactCount', count: 1 })
  })

  test('tolerate equal values when they do not say which', () => {
    const sent = claim({ requests: [{ name: 'gpu', exactly: { ...request.exactly, tolerations: [{ key: 'a' }] } }] })
    const { requests } = resourceClaims.default(deepFreeze(sent as never)).spec.devices ?? {}
    expect(requests?.[0]?.exactly?.tolerations).toEqual([{ key: 'a', operator: 'Equal' }])
  })

  test.each<readonly [string, object, readonly string[]]>([
    ['a complete one', { requests: [request] }, []],
    [
      'a request of nothing',
      { requests: [{ name: 'gpu' }] },
      [
        'FieldValueRequired spec.devices.requests[0]: Required value: exactly one of `exactly` or ' +
          '`firstAvailable` is required',
      ],
    ],
    [
      'a request of two kinds',
      { requests: [{ ...request, firstAvailable: [{ name: 'a', deviceClassName: 'b' }] }] },
      [
        'FieldValueInvalid spec.devices.requests[0]: Invalid value: null: exactly one of `exactly` or ' +
          '`firstAvailable` is required, but multiple fields are set',
      ],
    ],
    [
      'the same name twice',
      { requests: [request, request] },
      ['FieldValueDuplicate spec.devices.requests[1]: Duplicate value: "gpu"'],
    ],
    [
      'too many requests, which are not looked at any further',
      { requests: Array.from({ length: 33 }, () => ({ name: '' })) },
      ['FieldValueTooMany spec.devices.requests: Too many: 33: must have at most 32 items'],
    ],
    [
      'a count that does not go with its mode',
      {
        requests: [
          { name: 'a', exactly: { deviceClassName: DOMAIN, allocationMode: 'All', count: 2 } },
          { name: 'b', exactly: { deviceClassName: DOMAIN, count: -1 } },
          { name: 'c', exactly: { deviceClassName: '', allocationMode: 'Some' } },
        ],
      },
      [
        'FieldValueInvalid spec.devices.requests[0].exactly.count: Invalid value: 2: must not be specified ' +
          "when allocationMode is 'All'",
        'FieldValueInvalid spec.devices.requests[1].exactly.count: Invalid value: -1: must be greater than zero',
        'FieldValueRequired spec.devices.requests[2].exactly.deviceClassName: Required value',
        'FieldValueNotSupported spec.devices.requests[2].exactly.allocationMode: Unsupported value: "Some": ' +
          'supported values: "All", "ExactCount"',
      ],
    ],
    [
      'references to requests that are not there',
      {
        requests: [{ name: 'gpu', firstAvailable: [{ name: 'one', deviceClassName: 'b' }] }],
        constraints: [{ requests: ['gpu', 'gpu/one', 'gpu/two', 'a/b/c'], matchAttribute: 'a/b' }],
        config: [{ requests: ['cpu'], opaque: { driver: DOMAIN, parameters: {} } }],
      },
      [
        ['constraints[0].requests[2]', 'gpu/two'],
        ['constraints[0].requests[3]', 'a/b/c'],
        ['config[0].requests[0]', 'cpu'],
      ].map(
        ([path, name]) =>
          `FieldValueInvalid spec.devices.${path}: Invalid value: "${name}": must be the name of a request in ` +
          `the claim ` +
          "or the name of a request and a subrequest separated by '/'",
      ),
    ],
    [
      'constraints without a full name of an attribute',
      { requests: [request], constraints: [{}, { distinctAttribute: 'model' }] },
      [
        'FieldValueRequired spec.devices.constraints[0]: Required value: exactly one of "matchAttribute" or ' +
          '"distinctAttribute" is required, but multiple fields are set',
        'FieldValueInvalid spec.devices.constraints[1].distinctAttribute: Invalid value: "model": a fully ' +
          'qualified name must be a domain and a name separated by a slash',
      ],
    ],
    [
      'configuration that is no object',
      { requests: [request], config: [{}, { opaque: { driver: '', parameters: [1] } }] },
      [
        'FieldValueRequired spec.devices.config[0].opaque: Required value',
        'FieldValueRequired spec.devices.config[1].opaque.driver: Required value',
        'FieldValueInvalid spec.devices.config[1].opaque.parameters: Invalid value: "<value omitted>": must be ' +
          'a valid JSON object',
      ],
    ],
    [
      'selectors without an expression, and tolerations of everything',
      {
        requests: [
          {
            name: 'gpu',
            exactly: {
              deviceClassName: DOMAIN,
              selectors: [{}],
              tolerations: [
                { operator: 'Exists', value: 'a' },
                { operator: 'Like', effect: 'Run' },
              ],
            },
          },
        ],
      },
      [
        'FieldValueRequired spec.devices.requests[0].exactly.selectors[0].cel: Required value',
        'FieldValueInvalid spec.devices.requests[0].exactly.tolerations[0].value: Invalid value: "a": must be ' +
          'empty for operator `Exists`',
        'FieldValueNotSupported spec.devices.requests[0].exactly.tolerations[1].operator: Unsupported value: ' +
          '"Like": supported values: "Equal", "Exists"',
        'FieldValueNotSupported spec.devices.requests[0].exactly.tolerations[1].effect: Unsupported value: ' +
          '"Run": supported values: "NoExecute", "NoSchedule", "None"',
      ],
    ],
  ])('%s', (_, devices, expected) => {
    expect(findings(resourceClaims, claim(devices))).toEqual(expected)
  })

  test('keep what they ask for', () => {
    const changed = claim({ requests: [{ ...request, name: 'other' }] })
    expect(updateFindings(resourceClaims, changed, claim({ requests: [request] }))).toEqual([
      expect.stringMatching(/^FieldValueInvalid spec: Invalid value: .*: field is immutable$/),
    ])
  })

  test.each<readonly [string, object, string]>([
    ['without devices', {}, 'pending'],
    ['with devices', { allocation: {} }, 'allocated'],
    ['in use', { allocation: {}, reservedFor: [{ resource: 'pods', name: 'a', uid: 'b' }] }, 'allocated,reserved'],
  ])('show their state %s', (_, status, expected) => {
    expect(row(resourceClaims, claim({}, status)).State).toBe(expected)
  })
})

describe('the status of a claim', () => {
  const result = { request: 'gpu', driver: DOMAIN, pool: 'pool', device: 'gpu-0' }
  const allocation = { devices: { results: [result] } }
  const consumer = { resource: 'pods', name: 'web', uid: 'u' }
  const device = { driver: DOMAIN, pool: 'pool', device: 'gpu-0' }
  const before = claim({ requests: [request] })

  test.each<readonly [string, object, readonly string[]]>([
    ['allocated and in use', { allocation, reservedFor: [consumer], devices: [device] }, []],
    [
      'in use without devices',
      { reservedFor: [consumer, consumer, {}] },
      [
        'FieldValueRequired status.reservedFor[2].resource: Required value',
        'FieldValueRequired status.reservedFor[2].name: Required value',
        'FieldValueRequired status.reservedFor[2].uid: Required value',
        'FieldValueDuplicate status.reservedFor[1]: Duplicate value: "u"',
        'FieldValueForbidden status.reservedFor: Forbidden: may not be specified when `allocated` is not set',
      ],
    ],
    [
      'of devices that were not allocated',
      { allocation, devices: [{ ...device, device: 'gpu-1' }] },
      [
        'FieldValueInvalid status.devices[0]: Invalid value: {"Driver":{},"Pool":{},"Device":{},"ShareID":{}}: ' +
          'must be an allocated device in the claim',
      ],
    ],
    [
      'of shares and networks in other forms',
      {
        allocation: { devices: { results: [{ ...result, shareID: 'A' }] } },
        devices: [{ ...device, shareID: 'A', networkData: { ips: ['10.0.0.1', '2001:db8:0::1/64', '10.9.8.7/24'] } }],
      },
      [
        'FieldValueInvalid status.devices[0].shareID: Invalid value: "A": error validating uid: invalid UUID length: 1',
        'FieldValueInvalid status.devices[0].networkData.ips[0]: Invalid value: "10.0.0.1": must be a valid ' +
          'address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)',
        'FieldValueInvalid status.devices[0].networkData.ips[1]: Invalid value: "2001:db8:0::1/64": must be in ' +
          'canonical form ("2001:db8::1/64")',
        'FieldValueInvalid status.allocation.devices.results[0].shareID: Invalid value: "A": error validating ' +
          'uid: invalid UUID length: 1',
      ],
    ],
    [
      'of configuration from nowhere',
      { allocation: { devices: { config: [{ source: 'FromMe', opaque: { driver: DOMAIN, parameters: {} } }] } } },
      [
        'FieldValueNotSupported status.allocation.devices.config[0].source: Unsupported value: "FromMe": ' +
          'supported values: "FromClaim", "FromClass"',
      ],
    ],
  ])('%s', (_, status, expected) => {
    expect(statusFindings(resourceClaims.status, claim({ requests: [request] }, status), before)).toEqual(expected)
  })

  test('keeps an allocation until it is cleared', () => {
    const allocated = claim({ requests: [request] }, { allocation })
    const other = claim({ requests: [request] }, { allocation: { devices: { results: [] } } })
    expect(statusFindings(resourceClaims.status, other, allocated)).toEqual([
      expect.stringMatching(/^FieldValueInvalid status.allocation: .*: field is immutable$/),
    ])
    expect(statusFindings(resourceClaims.status, before, allocated)).toEqual([])
  })

  test('takes nobody new while the claim is being deleted', () => {
    const allocated = claim({ requests: [request] }, { allocation })
    const reserved = claim({ requests: [request] }, { allocation, reservedFor: [consumer] })
    const deleted = { ...reserved, metadata: { ...reserved.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } }
    expect(statusFindings(resourceClaims.status, deleted, allocated)).toEqual([
      'FieldValueForbidden status.reservedFor: Forbidden: new entries may not be added while ' +
        '`deallocationRequested` or `deletionTimestamp` are set',
    ])
    expect(statusFindings(resourceClaims.status, deleted, reserved)).toEqual([])
  })

  test('forgets devices with their allocation', () => {
    const live = resourceClaims.default(claim({ requests: [request] }, { allocation, devices: [device] }) as never)
    const sent = resourceClaims.default(claim({ requests: [request] }, { devices: [device] }) as never)
    expect(resourceClaims.status?.prepareForUpdate(sent, live, writeContext).status?.devices).toBeUndefined()
  })
})

describe('templates of claims', () => {
  test('say nothing but labels and annotations of what they make', () => {
    const spec = { metadata: { name: 'a', labels: { 'a b': 'c' }, creationTimestamp: null }, spec: { devices: {} } }
    expect(findings(resourceClaimTemplates, { metadata: { name: 't' }, spec })).toEqual([
      expect.stringContaining('FieldValueInvalid spec.metadata.labels: Invalid value: "a b"'),
      'FieldValueForbidden spec.metadata.name: Forbidden: cannot be set',
    ])
  })
})

describe('device classes', () => {
  test('take the names of extended resources only', () => {
    const named = (extendedResourceName: string): Sent => ({ metadata: { name: 'c' }, spec: { extendedResourceName } })
    expect(findings(deviceClasses, named('example.com/gpu'))).toEqual([])
    for (const name of ['cpu', 'kubernetes.io/gpu', 'requests.example.com/gpu', 'example.com/a b'])
      expect(findings(deviceClasses, named(name))).toEqual([
        `FieldValueInvalid spec.extendedResourceName: Invalid value: "${name}": must be a valid extended resource name`,
      ])
  })
})

describe('slices', () => {
  const pool = { name: 'pool', generation: 1, resourceSliceCount: 1 }
  const slice = (spec: object): Sent => ({
    metadata: { name: 'slice' },
    spec: { driver: DOMAIN, nodeName: 'node-1', pool, ...spec },
  })
  const device = (parts: object): Sent => slice({ devices: [{ name: 'gpu-0', ...parts }] })
  const PATH = 'spec.devices[0]'

  test('are found by driver and node', () => {
    const { spec } = resourceSlices.default(slice({}) as never)
    expect(resourceSlices.fields({ metadata: {}, spec })).toEqual({ 'spec.driver': DOMAIN, 'spec.nodeName': 'node-1' })
  })

  test('say when a taint was added, and drop what is switched off', () => {
    const parts = {
      taints: [{ key: 'a', effect: 'NoSchedule' }],
      attributes: { a: { int: 1, strings: ['x'] } },
      nodeAllocatableResourceMappings: { cpu: {} },
    }
    expect(resourceSlices.prepareForCreate(device(parts) as never, writeContext).spec.devices).toEqual([
      {
        name: 'gpu-0',
        taints: [{ key: 'a', effect: 'NoSchedule', timeAdded: '2026-01-01T00:00:00Z' }],
        attributes: { a: { int: 1 } },
      },
    ])
  })

  test.each<readonly [string, Sent, readonly string[]]>([
    ['of a node', slice({}), []],
    [
      'of no node',
      slice({ nodeName: undefined }),
      [
        'FieldValueRequired spec: Required value: exactly one of `nodeName`, `nodeSelector`, `allNodes`, ' +
          '`perDeviceNodeSelection` is required',
      ],
    ],
    [
      'of a node and all nodes',
      slice({ allNodes: true }),
      [
        'FieldValueInvalid spec: Invalid value: "{`nodeName`, `allNodes`}": exactly one of `nodeName`, ' +
          '`nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required, but multiple fields are set',
      ],
    ],
    [
      'of a pool without slices',
      slice({ pool: { name: 'a//b', generation: -1, resourceSliceCount: 0 } }),
      [
        expect.stringContaining('FieldValueInvalid spec.pool.name: Invalid value: "": a lowercase RFC 1123 subdomain'),
        'FieldValueInvalid spec.pool.resourceSliceCount: Invalid value: 0: must be greater than zero',
        'FieldValueInvalid spec.pool.generation: Invalid value: -1: must be greater than or equal to zero',
      ],
    ],
    [
      'of devices and counters at once',
      slice({ devices: [], sharedCounters: [{ name: '', counters: {} }] }),
      [
        'FieldValueInvalid spec: Invalid value: "": only one of `sharedCounters` or `devices` is allowed',
        'FieldValueRequired spec.sharedCounters[0].name: Required value',
        'FieldValueRequired spec.sharedCounters[0].counters: Required value',
      ],
    ],
    [
      'of many devices with taints',
      slice({ devices: Array.from({ length: 65 }, () => ({ name: 'a', taints: [{ key: 'a', effect: 'None' }] })) }),
      ['FieldValueTooMany spec.devices: Too many: 65: must have at most 64 items'],
    ],
    [
      'of attributes with no, two and wrong values',
      device({ attributes: { a: {}, b: { int: 1, bool: true }, c: { version: '1.2' }, 'd.com/e-f': { int: 1 } } }),
      [
        `FieldValueInvalid ${PATH}.attributes[a]: Invalid value: "": exactly one value must be specified`,
        `FieldValueInvalid ${PATH}.attributes[b]: Invalid value: {"int":1,"bool":true}: exactly one value must ` +
          `be specified`,
        `FieldValueInvalid ${PATH}.attributes[c].version: Invalid value: "1.2": must be a string compatible ` +
          `with semver.org spec 2.0.0`,
        expect.stringContaining(`FieldValueInvalid ${PATH}.attributes: Invalid value: "e-f": a valid C identifier`),
      ],
    ],
    [
      'of capacity in steps that nobody can take',
      device({
        allowMultipleAllocations: true,
        capacity: {
          memory: {
            value: '4Gi',
            requestPolicy: { default: '1Gi', validRange: { min: '2Gi', max: '8Gi', step: '3Gi' } },
          },
          cores: { value: '2', requestPolicy: { default: '3', validValues: ['4', '1', '1'] } },
        },
      }),
      [
        'min: Invalid value: "1Gi": default is less than min: 2Gi',
        'max: Invalid value: "8Gi": max is larger than capacity value: 4Gi',
        'step: Invalid value: "3Gi": one step 5Gi is larger than capacity value: 4Gi',
        'step: Invalid value: "1Gi": value is not a multiple of a given step (3Gi) from (2Gi)',
      ]
        .map((text) => `FieldValueInvalid ${PATH}.capacity[memory].requestPolicy.validRange.${text}`)
        .concat([
          `FieldValueInvalid ${PATH}.capacity[cores].requestPolicy.validValues[1]: Invalid value: "1": values ` +
            `must be sorted in ascending order`,
          `FieldValueInvalid ${PATH}.capacity[cores].requestPolicy.validValues[0]: Invalid value: "4": option ` +
            `is larger than capacity value: 2`,
          `FieldValueDuplicate ${PATH}.capacity[cores].requestPolicy.validValues[2]: Duplicate value: "1"`,
          `FieldValueInvalid ${PATH}.capacity[cores].requestPolicy.validValues: Invalid value: "3": default ` +
            `value is not valid according to the requestPolicy`,
        ]),
    ],
    [
      'of capacity that is not shared',
      device({ capacity: { memory: { value: '4Gi', requestPolicy: {} } } }),
      [`FieldValueForbidden ${PATH}.capacity[memory].requestPolicy: Forbidden: allowMultipleAllocations must be true`],
    ],
    [
      'of a device on a node of its own',
      device({ nodeName: 'node-2' }),
      [
        `FieldValueInvalid ${PATH}: Invalid value: null: \`nodeName\`, \`nodeSelector\` and \`allNodes\` can ` +
          `only be set ` +
          'if `perDeviceNodeSelection` is set to true in the ResourceSlice spec',
      ],
    ],
    [
      'of conditions on one side only',
      device({ bindingConditions: ['a', 'a'] }),
      [
        `FieldValueDuplicate ${PATH}.bindingConditions[1]: Duplicate value: "a"`,
        `FieldValueInvalid ${PATH}.bindingFailureConditions: Invalid value: null: ` +
          'bindingFailureConditions are required to use bindingConditions',
      ],
    ],
  ])('%s', (_, object, expected) => {
    expect(findings(resourceSlices, object)).toEqual(expected)
  })

  test('stay with their driver, pool and node', () => {
    const moved = slice({ driver: 'other.example.com', nodeName: 'node-2', pool: { ...pool, name: 'other' } })
    expect(updateFindings(resourceSlices, moved, slice({}))).toEqual([
      'FieldValueInvalid spec.pool.name: Invalid value: "other": field is immutable',
      'FieldValueInvalid spec.driver: Invalid value: "other.example.com": field is immutable',
      'FieldValueInvalid spec.nodeName: Invalid value: "node-2": field is immutable',
    ])
  })
})
