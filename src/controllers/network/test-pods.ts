/** Pods and services for the tests of the endpoint controllers. */

import type { Pod, PodSpec, Service, ServiceSpec } from '../../apis/core/types.gen.ts'
import type { ObjectMeta } from '../../machinery/meta/object.ts'

interface PodParts {
  readonly metadata?: ObjectMeta
  readonly spec?: Partial<PodSpec>
  readonly ready?: boolean
  readonly phase?: 'Failed' | 'Running' | 'Succeeded'
  readonly ip?: string
}

export const READY_AT = '2026-01-01T00:00:05Z'

export function pod(
  name: string,
  { metadata, spec, ready = true, phase = 'Running', ip = '10.244.0.5' }: PodParts = {},
): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'default', name, uid: `uid-${name}`, labels: { app: 'web' }, ...metadata },
    spec: {
      nodeName: 'node-0',
      containers: [{ name: 'app', image: 'app', ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }] }],
      ...spec,
    },
    status: {
      phase,
      ...(ip && { podIP: ip, podIPs: [{ ip }] }),
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: READY_AT }],
    },
  }
}

export function service(spec: Partial<ServiceSpec> = {}, metadata: ObjectMeta = {}): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      namespace: 'default',
      name: 'web',
      uid: 'uid-web',
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...metadata,
    },
    spec: {
      type: 'ClusterIP',
      clusterIP: '10.96.0.1',
      ipFamilies: ['IPv4'],
      selector: { app: 'web' },
      ports: [{ name: 'http', port: 80, protocol: 'TCP', targetPort: 'http' }],
      ...spec,
    },
  }
}
