import { describe, expect, test } from 'vitest'
import {
  findings,
  row,
  type Sent,
  statusFindings,
  updateFindings,
  writeContext,
} from '../../../test/support/findings.ts'
import { minimalObject } from '../../../test/support/minimal-objects.ts'
import type { ResourceDefinition } from '../definition.ts'
import { csiDrivers } from './csi-driver.ts'
import { csiNodes } from './csi-node.ts'
import { csiStorageCapacities } from './csi-storage-capacity.ts'
import { volumeAttachments } from './volume-attachment.ts'
import { volumeAttributesClasses } from './volume-attributes-class.ts'

// Rows and messages: upstream's validation tests.

const withoutType = (line: string): string => line.slice(line.indexOf(' ') + 1)
const errorsOf = (definition: ResourceDefinition, object: Sent) => findings(definition, object).map(withoutType)
const changeErrors = (definition: ResourceDefinition, object: Sent, previous: Sent) =>
  updateFindings(definition, object, previous).map(withoutType)

const driver = (spec: object = {}) => ({ metadata: { name: 'example.com' }, spec })
const node = (...drivers: readonly object[]) => ({ metadata: { name: 'node-1' }, spec: { drivers } })
const onNode = (parts: object = {}) => node({ name: 'io.kubernetes.storage.csi.driver', nodeID: 'n1', ...parts })
const capacity = (parts: object = {}) => ({ ...minimalObject(csiStorageCapacities), ...parts })
const attachment = (spec: object = {}, status?: object) => ({
  metadata: { name: 'a' },
  spec: { attacher: 'example.com', nodeName: 'node-1', source: { persistentVolumeName: 'disk' }, ...spec },
  ...(status ? { status } : {}),
})
const inline = (spec: object) => attachment({ source: { inlineVolumeSpec: spec } })
const csi = { accessModes: ['ReadWriteOnce'], csi: { driver: 'example.com', volumeHandle: 'v' } }
const attributes = (parts: object = {}) => ({ ...minimalObject(volumeAttributesClasses), ...parts })
const INLINE = 'spec.source.inlineVolumeSpec'

describe('what is wrong', () => {
  for (const [definition, object, ...expected] of [
    [csiDrivers, driver()],
    [csiDrivers, driver({ tokenRequests: [{ audience: '' }], serviceAccountTokenInSecrets: true })],
    [
      csiDrivers,
      driver({ fsGroupPolicy: 'Some' }),
      'spec.fsGroupPolicy: Unsupported value: "Some": supported values: "File", "None", "ReadWriteOnceWithFSType"',
    ],
    [
      csiDrivers,
      driver({ volumeLifecycleModes: ['Sometimes'] }),
      'spec.volumeLifecycleModes: Unsupported value: "Sometimes": supported values: "Persistent", "Ephemeral"',
    ],
    [
      csiDrivers,
      driver({ tokenRequests: [{ audience: 'a' }, { audience: 'a' }] }),
      'spec.tokenRequests[1].audience: Duplicate value: "a"',
    ],
    [
      csiDrivers,
      driver({ tokenRequests: [{ audience: 'a', expirationSeconds: 10 }] }),
      'spec.tokenRequests[0].expirationSeconds: Invalid value: 10: may not specify a duration less than 10 minutes',
    ],
    [
      csiDrivers,
      driver({ nodeAllocatableUpdatePeriodSeconds: 9 }),
      'spec.nodeAllocatableUpdatePeriodSeconds: Invalid value: 9: must be greater than or equal to 10 seconds',
    ],
    [
      csiDrivers,
      driver({ serviceAccountTokenInSecrets: false }),
      'spec.serviceAccountTokenInSecrets: Invalid value: false: ' +
        'serviceAccountTokenInSecrets is set but no tokenRequests are specified',
    ],
    [csiNodes, onNode({ topologyKeys: ['company.com/zone1', 'company.com/zone2'] })],
    [csiNodes, onNode({ allocatable: { count: 0 } })],
    [csiNodes, onNode({ name: '' }), 'spec.drivers[0].name: Required value'],
    [csiNodes, onNode({ nodeID: '' }), 'spec.drivers[0].nodeID: Required value'],
    [
      csiNodes,
      onNode({ name: `${'a'.repeat(60)}.com` }),
      'spec.drivers[0].name: Too long: may not be more than 63 bytes',
    ],
    [
      csiNodes,
      onNode({ allocatable: { count: -1 } }),
      'spec.drivers[0].allocatable.count: Invalid value: -1: must be greater than or equal to 0',
    ],
    [
      csiNodes,
      node({ name: 'a.com', nodeID: 'n1' }, { name: 'a.com', nodeID: 'n2' }),
      'spec.drivers[1].name: Duplicate value: "a.com"',
    ],
    [
      csiNodes,
      onNode({ topologyKeys: ['a.com/zone', 'a.com/zone'] }),
      'spec.drivers[0]: Duplicate value: "a.com/zone"',
    ],
    [csiStorageCapacities, capacity()],
    [
      csiStorageCapacities,
      capacity({ capacity: '-1' }),
      'capacity: Invalid value: "-1": must be greater than or equal to 0',
    ],
    [volumeAttachments, attachment()],
    [volumeAttachments, inline(csi)],
    [volumeAttachments, attachment({ attacher: '' }), 'spec.attacher: Required value'],
    [
      volumeAttachments,
      attachment({ source: {} }),
      'spec.source: Required value: must specify exactly one of inlineVolumeSpec and persistentVolumeName',
    ],
    [
      volumeAttachments,
      attachment({ source: { persistentVolumeName: 'disk', inlineVolumeSpec: csi } }),
      'spec.source: Forbidden: must specify exactly one of inlineVolumeSpec and persistentVolumeName',
    ],
    [
      volumeAttachments,
      inline({ ...csi, capacity: { storage: '1Gi' }, storageClassName: 'fast', volumeMode: 'Block' }),
      `${INLINE}.capacity: Forbidden: may not be specified in the context of inline volumes`,
      `${INLINE}.storageClassName: Forbidden: may not be specified in the context of inline volumes`,
      `${INLINE}.volumeMode: Forbidden: may not specify volumeMode other than Filesystem in the context of inline volumes`,
    ],
    [
      volumeAttachments,
      inline({ accessModes: ['ReadWriteOnce'] }),
      `${INLINE}.csi: Required value: has to be specified in the context of inline volumes`,
      `${INLINE}: Required value: must specify a volume type`,
    ],
    [volumeAttributesClasses, attributes()],
    [
      volumeAttributesClasses,
      attributes({ parameters: {} }),
      'parameters: Required value: must contain at least one key/value pair',
    ],
    [volumeAttributesClasses, attributes({ driverName: '' }), 'driverName: Required value'],
    [
      volumeAttributesClasses,
      attributes({ parameters: { '': 'a' } }),
      'parameters: Invalid value: "": field can not be empty.',
    ],
  ] as readonly (readonly [ResourceDefinition, Sent, ...string[]])[]) {
    test(`with ${definition.resource}: ${expected[0] ?? 'nothing'}`, () =>
      expect(errorsOf(definition, object)).toEqual(expected))
  }
})

describe('changes', () => {
  test('of a driver are refused where volumes depend on it', () => {
    const changed = driver({ attachRequired: false, volumeLifecycleModes: ['Ephemeral'] })
    expect(changeErrors(csiDrivers, changed, driver())).toEqual([
      'spec.attachedRequired: Invalid value: false: field is immutable',
      'spec.volumeLifecycleModes: Invalid value: ["Ephemeral"]: field is immutable',
    ])
    const previous = csiDrivers.default({ ...driver(), metadata: { name: 'a', generation: 1 } })
    const next = { ...previous, spec: { ...previous.spec, podInfoOnMount: true } }
    expect(csiDrivers.prepareForUpdate(next, previous, writeContext).metadata.generation).toBe(2)
  })

  test("of a node's driver are its number of volumes, or all of it", () => {
    const before = onNode({ allocatable: { count: 1 } })
    expect(changeErrors(csiNodes, onNode({ allocatable: { count: 2 } }), before)).toEqual([])
    expect(changeErrors(csiNodes, node({ name: 'b.com', nodeID: 'n2' }), before)).toEqual([])
    expect(changeErrors(csiNodes, onNode({ nodeID: 'n2' }), before)).toHaveLength(1)
  })

  test('of a capacity are amounts only', () => {
    expect(changeErrors(csiStorageCapacities, capacity({ capacity: '2Gi' }), capacity())).toEqual([])
    expect(changeErrors(csiStorageCapacities, capacity({ storageClassName: 'slow' }), capacity())).toEqual([
      'storageClassName: Invalid value: "slow": field is immutable',
    ])
  })

  test('of an attachment are its status', () => {
    expect(changeErrors(volumeAttachments, attachment({ nodeName: 'b' }), attachment())).toHaveLength(1)
    const status = { attached: false, attachError: { message: 'x'.repeat(1025), errorCode: -1 } }
    expect(statusFindings(volumeAttachments.status, attachment({}, status), attachment()).map(withoutType)).toEqual([
      'status.attachError.message: Too long: may not be more than 262144 bytes',
      'status.attachError.errorCode: Invalid value: -1: must be between 0 and 2147483647, inclusive',
    ])
    const sent = { ...attachment({}, { attached: true }), metadata: { name: 'a', labels: { a: 'b' } } }
    const previous = attachment() as Parameters<typeof volumeAttachments.validate>[0]
    expect(volumeAttachments.status?.prepareForUpdate(sent as typeof previous, previous, writeContext)).toEqual({
      ...previous,
      status: { attached: true },
    })
  })

  test('of attributes are refused', () => {
    expect(changeErrors(volumeAttributesClasses, attributes({ parameters: { iops: '2' } }), attributes())).toEqual([
      'parameters: Forbidden: updates to parameters are forbidden.',
    ])
  })
})

describe('clients are warned', () => {
  test('of tokens that may be logged', () => {
    const asks = csiDrivers.default({ ...driver({ tokenRequests: [{ audience: 'a' }] }) } as never)
    expect(csiDrivers.warnings(asks, undefined)).toEqual([
      'spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, ' +
        'set to true to prevent possible logging of tokens in volume attributes',
    ])
    expect(csiDrivers.warnings(asks, asks)).toEqual([])
  })

  test('of labels that have newer names', () => {
    const nodeTopology = {
      matchLabels: { 'beta.kubernetes.io/os': 'linux' },
      matchExpressions: [{ key: 'beta.kubernetes.io/arch', operator: 'Exists' as const }],
    }
    expect(csiStorageCapacities.warnings({ metadata: {}, storageClassName: 'a', nodeTopology }, undefined)).toEqual([
      'nodeTopology.matchExpressions[0].key: beta.kubernetes.io/arch is ' +
        'deprecated since v1.14; use "kubernetes.io/arch" instead',
      'nodeTopology.matchLabels.beta.kubernetes.io/os: deprecated since v1.14; use "kubernetes.io/os" instead',
    ])
  })
})

test('rows show what there is', () => {
  expect(row(csiDrivers, driver({ tokenRequests: [{ audience: 'a' }, { audience: 'b' }] }))).toMatchObject({
    AttachRequired: true,
    PodInfoOnMount: false,
    TokenRequests: 'a,b',
    Modes: 'Persistent',
  })
  expect(row(csiDrivers, driver())).toMatchObject({ TokenRequests: '<unset>' })
  expect(row(csiNodes, onNode())).toMatchObject({ Drivers: 1 })
  expect(row(volumeAttachments, attachment({}, { attached: true }))).toMatchObject({ PV: 'disk', Attached: true })
})
