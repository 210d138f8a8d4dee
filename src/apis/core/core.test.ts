import { describe, expect, test } from 'vitest'
import { namespace, node } from '../../../test/support/builders.ts'
import {
  findings,
  NOW_MS,
  row,
  type Sent,
  statusFindings,
  updateFindings,
  writeContext,
} from '../../../test/support/findings.ts'
import type { ResourceDefinition } from '../definition.ts'
import { configMaps } from './config-map.ts'
import { endpoints } from './endpoints.ts'
import { events } from './event.ts'
import { limitRanges } from './limit-range.ts'
import { namespaces } from './namespace.ts'
import { nodes } from './node.ts'
import { persistentVolumes } from './persistent-volume/definition.ts'
import { persistentVolumeClaims } from './persistent-volume-claim.ts'
import { replicationControllers } from './replication-controller.ts'
import { resourceQuotas } from './resource-quota.ts'
import { secrets } from './secret.ts'
import { serviceAccounts } from './service-account.ts'

// Goal: rules, defaults and columns of the core group's resources but pods and services.

const sent = (object: object): Sent => ({ metadata: { name: 'a', namespace: 'default' }, ...object })
const base64 = (text: string): string => Buffer.from(text).toString('base64')
const claimSpec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } }
const volumeSpec = { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' }, hostPath: { path: '/data' } }
const MEBIBYTE = 1024 * 1024

type Rule = readonly [behaviour: string, definition: ResourceDefinition, object: object, expected: readonly string[]]

const rules: readonly Rule[] = [
  ['a config map without data is fine', configMaps, {}, []],
  [
    'a key of a config map becomes a file name',
    configMaps,
    { data: { '..': 'x' } },
    ['FieldValueInvalid data[..]: Invalid value: "..": must not be \'..\''],
  ],
  [
    'a key stands in one of the two maps',
    configMaps,
    { data: { k: 'x' }, binaryData: { k: base64('x') } },
    ['FieldValueInvalid data[k]: Invalid value: "k": duplicate of key present in binaryData'],
  ],
  [
    'a config map holds one mebibyte',
    configMaps,
    { data: { k: 'x'.repeat(MEBIBYTE + 1) } },
    ['FieldValueTooLong []: Too long: may not be more than 1048576 bytes'],
  ],
  ['exactly one mebibyte fits', configMaps, { data: { k: 'x'.repeat(MEBIBYTE) } }, []],
  [
    'a TLS secret has both halves',
    secrets,
    { type: 'kubernetes.io/tls', data: { 'tls.crt': '' } },
    ['FieldValueRequired data[tls.key]: Required value'],
  ],
  [
    'basic authentication has a name or a password',
    secrets,
    { type: 'kubernetes.io/basic-auth' },
    ['FieldValueRequired data[username]: Required value', 'FieldValueRequired data[password]: Required value'],
  ],
  [
    'a registry configuration is JSON, and is not repeated when it is not',
    secrets,
    { type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': base64('') } },
    [
      'FieldValueInvalid data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": ' +
        'unexpected end of JSON input',
    ],
  ],
  [
    'a token secret names its service account',
    secrets,
    { type: 'kubernetes.io/service-account-token' },
    ['FieldValueRequired metadata.annotations[kubernetes.io/service-account.name]: Required value'],
  ],
  [
    'an event stands where what it is about stands',
    events,
    { involvedObject: { namespace: 'other' } },
    ['FieldValueInvalid involvedObject.namespace: Invalid value: "other": does not match event.namespace'],
  ],
  [
    'endpoints have addresses',
    endpoints,
    { subsets: [{ ports: [{ port: 80 }] }] },
    ['FieldValueRequired subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`'],
  ],
  [
    'endpoints are not on the loopback',
    endpoints,
    { subsets: [{ addresses: [{ ip: '::1' }] }] },
    [
      'FieldValueInvalid subsets[0].addresses[0].ip: Invalid value: "::1": ' +
        'may not be in the loopback range (127.0.0.0/8, ::1/128)',
    ],
  ],
  [
    'a taint is named once for each effect',
    nodes,
    {
      spec: {
        taints: [
          { key: 'a', effect: 'NoSchedule' },
          { key: 'a', effect: 'NoSchedule' },
        ],
      },
    },
    [
      'FieldValueDuplicate metadata.taints[1]: Duplicate value: {"key":"a","effect":"NoSchedule"}: ' +
        'taints must be unique by key and effect pair',
    ],
  ],
  [
    'a node has one range of each family',
    nodes,
    { spec: { podCIDRs: ['10.1.0.0/24', '10.2.0.0/24'] } },
    [
      'FieldValueInvalid spec.podCIDRs: Invalid value: ["10.1.0.0/24","10.2.0.0/24"]: ' +
        'may specify no more than one CIDR for each IP family',
    ],
  ],
  [
    'a node has no negative capacity',
    nodes,
    { status: { capacity: { cpu: '-1' } } },
    [
      'FieldValueInvalid status.capacity.cpu: Invalid value: "-1": must be greater than or equal to 0',
      'FieldValueInvalid status.allocatable.cpu: Invalid value: "-1": must be greater than or equal to 0',
    ],
  ],
  ['a claim asks for storage', persistentVolumeClaims, { spec: claimSpec }, []],
  [
    'a claim asks for something',
    persistentVolumeClaims,
    { spec: {} },
    [
      'FieldValueRequired spec.accessModes: Required value: at least 1 access mode is required',
      'FieldValueRequired spec.resources[storage]: Required value',
    ],
  ],
  [
    'a claim asks for more than nothing',
    persistentVolumeClaims,
    { spec: { ...claimSpec, resources: { requests: { storage: '0' } } } },
    ['FieldValueInvalid spec.resources[storage]: Invalid value: "0": must be greater than zero'],
  ],
  [
    'the exclusive mode stands alone',
    persistentVolumeClaims,
    { spec: { ...claimSpec, accessModes: ['ReadWriteOncePod', 'ReadWriteMany'] } },
    ['FieldValueForbidden spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes'],
  ],
  ['a volume of one source is fine', persistentVolumes, { spec: volumeSpec }, []],
  [
    'a volume is made of something',
    persistentVolumes,
    { spec: { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' } } },
    ['FieldValueRequired spec: Required value: must specify a volume type'],
  ],
  [
    'a volume is made of one thing',
    persistentVolumes,
    { spec: { ...volumeSpec, nfs: { server: 's', path: '/p' } } },
    ['FieldValueForbidden spec.nfs: Forbidden: may not specify more than 1 volume type'],
  ],
  [
    'a local volume says where it is',
    persistentVolumes,
    { spec: { ...volumeSpec, hostPath: undefined, local: { path: '/mnt' } } },
    ['FieldValueRequired spec.nodeAffinity: Required value: Local volume requires node affinity'],
  ],
  [
    'a CSI volume names driver and handle',
    persistentVolumes,
    { spec: { ...volumeSpec, hostPath: undefined, csi: {} } },
    ['FieldValueRequired spec.csi.driver: Required value', 'FieldValueRequired spec.csi.volumeHandle: Required value'],
  ],
  [
    'a quota counts what there is',
    resourceQuotas,
    { spec: { hard: { storage: '1', 'example.com/gpu': '1.5' } } },
    [
      'FieldValueInvalid spec.hard[storage]: Invalid value: "storage": must be a standard resource for quota',
      'FieldValueInvalid spec.hard[example.com/gpu]: Invalid value: "1500m": must be an integer',
    ],
  ],
  [
    'scopes of a quota do not contradict each other',
    resourceQuotas,
    { spec: { scopes: ['Terminating', 'NotTerminating'] } },
    ['FieldValueInvalid spec.scopes: Invalid value: ["Terminating","NotTerminating"]: conflicting scopes'],
  ],
  [
    'a scope fits what is counted',
    resourceQuotas,
    { spec: { hard: { secrets: '1' }, scopes: ['BestEffort'] } },
    ['FieldValueInvalid spec.scopes: Invalid value: ["BestEffort"]: unsupported scope applied to resource'],
  ],
  [
    'the least is not above the most',
    limitRanges,
    { spec: { limits: [{ type: 'Pod', min: { cpu: '2' }, max: { cpu: '1' } }] } },
    ['FieldValueInvalid spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1'],
  ],
  [
    'pods have no defaults',
    limitRanges,
    { spec: { limits: [{ type: 'Pod', default: { cpu: '1' } }] } },
    ["FieldValueForbidden spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'"],
  ],
  [
    'a finalizer without a domain is one of the system',
    namespaces,
    { spec: { finalizers: ['mine'] } },
    [
      'FieldValueInvalid spec.finalizers: Invalid value: "mine": ' +
        'name is neither a standard finalizer name nor is it fully qualified',
    ],
  ],
  [
    'a replication controller has a selector and a template',
    replicationControllers,
    {},
    ['FieldValueRequired spec.selector: Required value', 'FieldValueRequired spec.template: Required value'],
  ],
]

describe('rules', () => {
  for (const [behaviour, definition, object, expected] of rules)
    test(behaviour, () => expect(findings(definition, sent(object))).toEqual(expected))
})

const updates: readonly (readonly [string, ResourceDefinition, object, object, readonly string[]])[] = [
  [
    'a closed config map stays closed',
    configMaps,
    { data: { k: '2' } },
    { immutable: true, data: { k: '1' } },
    [
      'FieldValueForbidden immutable: Forbidden: field is immutable when `immutable` is set',
      'FieldValueForbidden data: Forbidden: field is immutable when `immutable` is set',
    ],
  ],
  [
    'a secret keeps its type',
    secrets,
    { type: 'a' },
    { type: 'b' },
    ['FieldValueInvalid type: Invalid value: "a": field is immutable'],
  ],
  [
    'a node keeps its range once it has one',
    nodes,
    { spec: { podCIDR: '10.2.0.0/24' } },
    { spec: { podCIDR: '10.1.0.0/24' } },
    ['FieldValueForbidden spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid'],
  ],
  ['a node gets its range', nodes, { spec: { podCIDR: '10.2.0.0/24' } }, { spec: {} }, []],
  [
    'a claim gets its volume',
    persistentVolumeClaims,
    { spec: { ...claimSpec, volumeName: 'v' } },
    { spec: claimSpec },
    [],
  ],
  [
    'an unbound claim does not grow',
    persistentVolumeClaims,
    { spec: { ...claimSpec, resources: { requests: { storage: '2Gi' } } } },
    { spec: claimSpec },
    [
      'FieldValueForbidden spec: Forbidden: spec is immutable after creation except resources.requests ' +
        'and volumeAttributesClassName for bound claims\n' +
        '- \tresources.requests.storage: "1Gi"\n+ \tresources.requests.storage: "2Gi"',
    ],
  ],
  [
    'a bound claim grows',
    persistentVolumeClaims,
    { spec: { ...claimSpec, resources: { requests: { storage: '2Gi' } } } },
    { spec: claimSpec, status: { phase: 'Bound' } },
    [],
  ],
  [
    'a volume stays what it is made of',
    persistentVolumes,
    { spec: { ...volumeSpec, hostPath: { path: '/other' } } },
    { spec: volumeSpec },
    [
      'FieldValueForbidden spec.persistentvolumesource: Forbidden: ' +
        'spec.persistentvolumesource is immutable after creation\n' +
        '- \thostPath.path: "/data"\n+ \thostPath.path: "/other"',
    ],
  ],
  [
    'a quota keeps its scopes',
    resourceQuotas,
    { spec: { scopes: ['BestEffort'] } },
    { spec: {} },
    ['FieldValueInvalid spec.scopes: Invalid value: ["BestEffort"]: field is immutable'],
  ],
]

describe('updates', () => {
  for (const [behaviour, definition, object, previous, expected] of updates)
    test(behaviour, () => expect(updateFindings(definition, sent(object), sent(previous))).toEqual(expected))
})

describe('namespaces', () => {
  test('are active, carry their name and wait for their content', () => {
    const created = namespaces.prepareForCreate(namespaces.default(namespace('blue')), writeContext)
    expect(created).toMatchObject({
      metadata: { labels: { 'kubernetes.io/metadata.name': 'blue' } },
      spec: { finalizers: ['kubernetes'] },
      status: { phase: 'Active' },
    })
  })

  test('end only when they are deleted', () => {
    const ending = sent({ status: { phase: 'Terminating' } })
    expect(statusFindings(namespaces.status, ending, sent({}))).toEqual([
      'FieldValueInvalid status.Phase: Invalid value: "Terminating": may only be \'Active\' if `deletionTimestamp` is empty',
    ])
  })
})

describe('secrets', () => {
  test('take plain text and keep base64', () => {
    const object = { metadata: {}, data: { a: base64('1'), b: base64('2') }, stringData: { b: 'ü', __proto__x: '' } }
    expect(secrets.default(object)).toEqual({
      metadata: {},
      type: 'Opaque',
      data: { a: base64('1'), b: base64('ü'), __proto__x: '' },
    })
  })
})

test('service accounts keep the names of secrets', () => {
  const object = { metadata: {}, secrets: [{ name: 'a', namespace: 'other', uid: 'x' }] }
  expect(serviceAccounts.prepareForCreate(object, writeContext).secrets).toEqual([{ name: 'a' }])
})

test('a container limit defaults to the maximum and its request to the limit', () => {
  const object = {
    metadata: {},
    spec: { limits: [{ type: 'Container', max: { cpu: '2' }, min: { cpu: '1', memory: '1Gi' } }] },
  }
  expect(limitRanges.default(object).spec?.limits?.[0]).toMatchObject({
    default: { cpu: '2' },
    defaultRequest: { cpu: '2', memory: '1Gi' },
  })
})

describe('rows', () => {
  test('a node', () => {
    const labels = { 'node-role.kubernetes.io/worker': '', 'node-role.kubernetes.io/control-plane': '' }
    const status = {
      conditions: [{ type: 'Ready', status: 'True' }],
      addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
      nodeInfo: { kubeletVersion: 'v1.36.0', osImage: 'Linux' } as never,
    }
    const object = node({ metadata: { labels }, spec: { unschedulable: true }, status })
    expect(row(nodes, sent(object))).toEqual({
      Name: 'node-1',
      Status: 'Ready,SchedulingDisabled',
      Roles: 'control-plane,worker',
      Age: '<unknown>',
      Version: 'v1.36.0',
      'Internal-IP': '10.0.0.1',
      'External-IP': '<none>',
      'OS-Image': 'Linux',
      'Kernel-Version': '<unknown>',
      'Container-Runtime': '<unknown>',
    })
  })

  test('an event', () => {
    const at = (secondsAgo: number): string => new Date(NOW_MS - secondsAgo * 1000).toISOString()
    const object = sent({
      involvedObject: { kind: 'Pod', name: 'web-0', namespace: 'default', fieldPath: 'spec.containers{app}' },
      type: 'Normal',
      reason: 'Pulled',
      message: ' done ',
      source: { component: 'kubelet', host: 'node-1' },
      firstTimestamp: at(600),
      lastTimestamp: at(10),
      count: 4,
    })
    expect(row(events, object)).toEqual({
      'Last Seen': '10s',
      Type: 'Normal',
      Reason: 'Pulled',
      Object: 'pod/web-0',
      Subobject: 'spec.containers{app}',
      Source: 'kubelet, node-1',
      Message: 'done',
      'First Seen': '10m',
      Count: 4,
      Name: 'a',
    })
  })

  test('endpoints show three addresses', () => {
    const subsets = [
      { addresses: ['1', '2', '3', '4'].map((last) => ({ ip: `10.0.0.${last}` })), ports: [{ port: 80 }] },
    ]
    expect(row(endpoints, sent({ subsets }))).toMatchObject({
      Endpoints: '10.0.0.1:80,10.0.0.2:80,10.0.0.3:80 + 1 more...',
    })
  })

  test('a quota shows requests and limits apart', () => {
    const status = { hard: { pods: '10', 'limits.cpu': '2', cpu: '1' }, used: { pods: '3' } }
    expect(row(resourceQuotas, sent({ status }))).toMatchObject({
      Request: 'cpu: 0/1, pods: 3/10',
      Limit: 'limits.cpu: 0/2',
    })
  })

  test('a bound claim and its volume', () => {
    const spec = { ...claimSpec, volumeName: 'v', storageClassName: 'fast' }
    const status = { phase: 'Bound', capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'] }
    expect(row(persistentVolumeClaims, sent({ spec, status }))).toMatchObject({
      Status: 'Bound',
      Volume: 'v',
      Capacity: '1Gi',
      'Access Modes': 'RWO',
      StorageClass: 'fast',
      VolumeAttributesClass: '<unset>',
      VolumeMode: 'Filesystem',
    })
    const claimRef = { namespace: 'default', name: 'data' }
    expect(
      row(persistentVolumes, sent({ spec: { ...volumeSpec, claimRef }, status: { phase: 'Bound' } })),
    ).toMatchObject({
      Claim: 'default/data',
      'Reclaim Policy': 'Retain',
      Status: 'Bound',
    })
  })
})

describe('The growth of a claim', () => {
  test.each([
    ['is that of its storage', { allocatedResources: { storage: '2Gi' } }, []],
    [
      'is of nothing else that Kubernetes names',
      { allocatedResources: { cpu: '1' } },
      ['FieldValueNotSupported status.allocatedResources: Unsupported value: "cpu": supported values: "storage"'],
    ],
    [
      'has known steps',
      { allocatedResourceStatuses: { storage: 'Growing' } },
      [
        'FieldValueNotSupported status.allocatedResourceStatuses: Unsupported value: "storage": supported values: ' +
          '"ControllerResizeInProgress", "ControllerResizeInfeasible", "NodeResizeInProgress", ' +
          '"NodeResizeInfeasible", "NodeResizePending"',
      ],
    ],
  ])('%s', (_, status, expected) => {
    const claim = sent({ spec: claimSpec, status })
    expect(statusFindings(persistentVolumeClaims.status, claim, claim)).toEqual(expected)
  })
})
