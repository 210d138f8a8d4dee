/** For every stored built-in kind the smallest object that the server accepts: what the resource contract writes. */

import type { ResourceDefinition } from '../../src/apis/definition.ts'
import { apiVersionOf } from '../../src/machinery/meta/group-version.ts'
import type { KubeObject } from '../../src/machinery/meta/object.ts'

/** Everything but apiVersion, kind and metadata; `name` for kinds whose names follow rules of their own. */
interface Minimal {
  readonly name?: string
  readonly parts?: object
}

/** An object that a client may send, whatever its type says. */
export type SentObject = KubeObject & Readonly<Record<string, unknown>>

const labels = { app: 'web' }
const selector = { matchLabels: labels }
const podSpec = { containers: [{ name: 'app', image: 'registry.example/app:1' }] }
const template = { metadata: { labels }, spec: podSpec }
const jobTemplate = { ...template, spec: { ...podSpec, restartPolicy: 'Never' } }
const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }]
const subjects = [{ kind: 'User', name: 'jane', apiGroup: 'rbac.authorization.k8s.io' }]
const roleRef = (kind: string) => ({ kind, name: 'view', apiGroup: 'rbac.authorization.k8s.io' })
const webhook = {
  name: 'check.example.com',
  clientConfig: { url: 'https://example.com/check' },
  rules: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['pods'], operations: ['CREATE'] }],
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
}
const matchConstraints = {
  resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['pods'], operations: ['CREATE'] }],
}
const devices = { requests: [{ name: 'gpu', exactly: { deviceClassName: 'gpu.example.com' } }] }

/** Of `CN=e2e.example.com`, signed with a key that nobody has kept. */
const SIGNING_REQUEST = `-----BEGIN CERTIFICATE REQUEST-----
MIHTMHwCAQAwGjEYMBYGA1UEAwwPZTJlLmV4YW1wbGUuY29tMFkwEwYHKoZIzj0C
AQYIKoZIzj0DAQcDQgAErfAdOknGr2rJuxombZ8krgV8RTjcldWaO0Zw6Mo2MURJ
W1RJQ9JOl6vmVN85OPMiGyN0G05z3qw6vOwFXZm+BqAAMAoGCCqGSM49BAMCA0cA
MEQCIFjhHQJi2ZpMhpldcC0PRI71dfA4+p8SKImGRu8XhBSaAiAPaXkGnUV/vxL5
pW/5NgBuRzzXXO71dDY6q8D0DPd7Xg==
-----END CERTIFICATE REQUEST-----
`

const MINIMAL: Readonly<Record<string, Minimal>> = {
  Binding: { parts: { target: { kind: 'Node', name: 'node-1' } } },
  ConfigMap: { parts: { data: { key: 'value' } } },
  Endpoints: { parts: { subsets: [{ addresses: [{ ip: '192.0.2.1' }], ports: [{ port: 80 }] }] } },
  LimitRange: { parts: { spec: { limits: [{ type: 'Container', max: { cpu: '1' } }] } } },
  Namespace: {},
  Node: {},
  PersistentVolume: {
    parts: { spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/data' } } },
  },
  PersistentVolumeClaim: {
    parts: { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
  },
  Pod: { parts: { spec: podSpec } },
  PodTemplate: { parts: { template } },
  ReplicationController: { parts: { spec: { selector: labels, template } } },
  ResourceQuota: { parts: { spec: { hard: { pods: '1' } } } },
  Secret: { parts: { data: { key: 'dmFsdWU=' } } },
  Service: { parts: { spec: { selector: labels, ports: [{ port: 80 }] } } },
  ServiceAccount: {},
  ControllerRevision: { parts: { revision: 1, data: { spec: {} } } },
  DaemonSet: { parts: { spec: { selector, template } } },
  Deployment: { parts: { spec: { selector, template } } },
  ReplicaSet: { parts: { spec: { selector, template } } },
  StatefulSet: { parts: { spec: { serviceName: 'web', selector, template } } },
  Job: { parts: { spec: { template: jobTemplate } } },
  CronJob: { parts: { spec: { schedule: '* * * * *', jobTemplate: { spec: { template: jobTemplate } } } } },
  HorizontalPodAutoscaler: {
    parts: { spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }, maxReplicas: 3 } },
  },
  Lease: { parts: { spec: { holderIdentity: 'a', leaseDurationSeconds: 15 } } },
  EndpointSlice: { parts: { addressType: 'IPv4', endpoints: [{ addresses: ['192.0.2.1'] }], ports: [{ port: 80 }] } },
  Ingress: { parts: { spec: { defaultBackend: { service: { name: 'web', port: { number: 80 } } } } } },
  IngressClass: { parts: { spec: { controller: 'example.com/controller' } } },
  NetworkPolicy: { parts: { spec: { podSelector: {} } } },
  IPAddress: {
    name: '192.0.2.7',
    parts: { spec: { parentRef: { group: '', resource: 'services', namespace: 'default', name: 'web' } } },
  },
  ServiceCIDR: { parts: { spec: { cidrs: ['10.100.0.0/16'] } } },
  RuntimeClass: { parts: { handler: 'runc' } },
  PodDisruptionBudget: { parts: { spec: { minAvailable: 1, selector } } },
  PriorityClass: { parts: { value: 10 } },
  Role: { parts: { rules } },
  ClusterRole: { parts: { rules } },
  RoleBinding: { parts: { roleRef: roleRef('Role'), subjects } },
  ClusterRoleBinding: { parts: { roleRef: roleRef('ClusterRole'), subjects } },
  StorageClass: { parts: { provisioner: 'example.com/disk' } },
  CSIDriver: { parts: { spec: {} } },
  CSINode: { parts: { spec: { drivers: [] } } },
  CSIStorageCapacity: { parts: { storageClassName: 'fast', nodeTopology: {} } },
  VolumeAttachment: {
    parts: { spec: { attacher: 'example.com', nodeName: 'node-1', source: { persistentVolumeName: 'disk' } } },
  },
  VolumeAttributesClass: { parts: { driverName: 'example.com', parameters: { iops: '1' } } },
  MutatingWebhookConfiguration: { parts: { webhooks: [webhook] } },
  ValidatingWebhookConfiguration: { parts: { webhooks: [webhook] } },
  ValidatingAdmissionPolicy: { parts: { spec: { matchConstraints, validations: [{ expression: 'true' }] } } },
  ValidatingAdmissionPolicyBinding: { parts: { spec: { policyName: 'policy', validationActions: ['Deny'] } } },
  MutatingAdmissionPolicy: {
    parts: {
      spec: {
        matchConstraints,
        reinvocationPolicy: 'Never',
        mutations: [
          { patchType: 'JSONPatch', jsonPatch: { expression: '[JSONPatch{op: "test", path: "/kind", value: "Pod"}]' } },
        ],
      },
    },
  },
  MutatingAdmissionPolicyBinding: { parts: { spec: { policyName: 'policy' } } },
  CustomResourceDefinition: {
    name: 'things.example.com',
    parts: {
      spec: {
        group: 'example.com',
        scope: 'Namespaced',
        names: { plural: 'things', singular: 'thing', kind: 'Thing', listKind: 'ThingList' },
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
      },
    },
  },
  APIService: {
    name: 'v1.example.com',
    parts: {
      spec: {
        group: 'example.com',
        version: 'v1',
        groupPriorityMinimum: 100,
        versionPriority: 10,
        insecureSkipTLSVerify: true,
        service: { namespace: 'default', name: 'web' },
      },
    },
  },
  CertificateSigningRequest: {
    parts: {
      spec: {
        signerName: 'example.com/signer',
        usages: ['client auth'],
        request: Buffer.from(SIGNING_REQUEST).toString('base64'),
      },
    },
  },
  ClusterTrustBundle: { parts: { spec: { trustBundle: '' } } },
  FlowSchema: { parts: { spec: { priorityLevelConfiguration: { name: 'catch-all' } } } },
  PriorityLevelConfiguration: {
    parts: { spec: { type: 'Limited', limited: { limitResponse: { type: 'Reject' } } } },
  },
  DeviceClass: { parts: { spec: {} } },
  ResourceClaim: { parts: { spec: { devices } } },
  ResourceClaimTemplate: { parts: { spec: { spec: { devices } } } },
  ResourceSlice: {
    parts: {
      spec: {
        driver: 'gpu.example.com',
        nodeName: 'node-1',
        pool: { name: 'pool', generation: 1, resourceSliceCount: 1 },
        devices: [{ name: 'gpu-0' }],
      },
    },
  },
}

const OF_CORE_EVENTS: Minimal = {
  parts: {
    involvedObject: { kind: 'Pod', namespace: 'default', name: 'web', uid: 'u' },
    reason: 'Tested',
    type: 'Normal',
  },
}
const OF_NEW_EVENTS: Minimal = {
  parts: {
    regarding: { kind: 'Pod', namespace: 'default', name: 'web', uid: 'u' },
    eventTime: '2026-01-01T00:00:00.000000Z',
    reason: 'Tested',
    action: 'Testing',
    type: 'Normal',
    reportingController: 'example.com/tester',
    reportingInstance: 'tester-1',
  },
}

/** An object of this kind that is accepted; in namespace `default` where it has one. Throws for unknown kinds. */
export function minimalObject(definition: ResourceDefinition, name = 'contract'): SentObject {
  const { group, kind, scope } = definition
  const own = Object.hasOwn(MINIMAL, kind) ? MINIMAL[kind] : undefined
  const minimal = kind === 'Event' ? (group === '' ? OF_CORE_EVENTS : OF_NEW_EVENTS) : own
  if (!minimal) throw new Error(`there is no minimal ${kind} in test/support/minimal-objects.ts`)
  return {
    apiVersion: apiVersionOf(definition),
    kind,
    metadata: { name: minimal.name ?? name, ...(scope === 'Namespaced' ? { namespace: 'default' } : {}) },
    ...minimal.parts,
  }
}
