/** Builders of pods and nodes for the scheduler's tests. */

import type { Node, Pod, PodSpec, Taint } from '../apis/core/types.gen.ts'
import { nothingSelector, selectorFromLabels } from '../machinery/meta/labels.ts'
import { type PodInfo, podInfoOf } from './pod-info.ts'
import { type NodeInfo, nodeInfoOf, type Snapshot, snapshotOf } from './snapshot.ts'
import { NO_VOLUMES, type VolumeLookups } from './volume-lookups.ts'

export interface TestPod {
  readonly name?: string
  readonly namespace?: string
  readonly cpu?: string
  readonly memory?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly priority?: number
  readonly hostPort?: number
  readonly image?: string
  readonly spec?: Partial<PodSpec>
  readonly status?: Pod['status']
}

export function podOf(fields: TestPod = {}): Pod {
  const { name = 'pod', namespace = 'default', cpu, memory, labels = {}, priority, hostPort, image = 'app:1' } = fields
  const requests = { ...(cpu ? { cpu } : {}), ...(memory ? { memory } : {}) }
  const ports = hostPort ? { ports: [{ containerPort: hostPort, hostPort, protocol: 'TCP' as const }] } : {}
  return {
    metadata: { name, namespace, uid: `${namespace}-${name}`, labels },
    spec: {
      schedulerName: 'default-scheduler',
      ...(priority === undefined ? {} : { priority }),
      containers: [{ name: 'main', image, resources: { requests }, ...ports }],
      ...fields.spec,
    },
    ...(fields.status ? { status: fields.status } : {}),
  }
}

export function infoOf(fields: TestPod = {}): PodInfo {
  return podInfoOf(podOf(fields))
}

export interface TestNode {
  readonly cpu?: string
  readonly memory?: string
  readonly pods?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly taints?: readonly Taint[]
  readonly unschedulable?: boolean
  readonly images?: Readonly<Record<string, number>>
}

export function nodeOf(name: string, fields: TestNode = {}): Node {
  const { cpu = '4', memory = '8Gi', pods = '110', labels = {}, taints = [], unschedulable, images = {} } = fields
  return {
    metadata: { name, uid: `node-${name}`, labels: { 'kubernetes.io/hostname': name, ...labels } },
    spec: { taints, ...(unschedulable ? { unschedulable } : {}) },
    status: {
      allocatable: { cpu, memory, pods },
      images: Object.entries(images).map(([image, sizeBytes]) => ({ names: [image], sizeBytes })),
    },
  }
}

let slots = 0

export function nodeInfo(name: string, fields: TestNode = {}, pods: readonly PodInfo[] = []): NodeInfo {
  return nodeInfoOf(nodeOf(name, fields), pods, slots++)
}

export function clusterOf(...nodes: readonly NodeInfo[]): Snapshot {
  return clusterWith(NO_VOLUMES, nodes)
}

export function clusterWith(volumes: VolumeLookups, nodes: readonly NodeInfo[]): Snapshot {
  return snapshotOf(nodes, {
    volumes,
    namespaceLabels: (name) => ({ 'kubernetes.io/metadata.name': name }),
    siblings: (pod) => (pod.labels.app ? selectorFromLabels(pod.labels) : nothingSelector),
  })
}
