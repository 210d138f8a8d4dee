/** Minimal valid objects for tests. Each builder takes what the test is about; the rest is filled in. */

import type { DaemonSet, Deployment, ReplicaSet, StatefulSet } from '../../src/apis/apps/types.gen.ts'
import type { CronJob, Job } from '../../src/apis/batch/types.gen.ts'
import type { Container, Namespace, Node, Pod, PodTemplateSpec, Service } from '../../src/apis/core/types.gen.ts'
import type { ObjectMeta } from '../../src/machinery/meta/object.ts'

type Parts<T extends { spec?: unknown; status?: unknown }> = {
  readonly metadata?: ObjectMeta
  readonly spec?: Partial<NonNullable<T['spec']>>
  readonly status?: T['status']
}

export function container(parts: Partial<Container> = {}): Container {
  return { name: 'app', image: 'registry.example/app:1', ...parts }
}

export function podTemplate(labels: Readonly<Record<string, string>> = { app: 'web' }): PodTemplateSpec {
  return { metadata: { labels }, spec: { containers: [container()] } }
}

export function pod({ metadata, spec, status }: Parts<Pod> = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: namespaced('web-0', metadata),
    spec: { containers: [container()], ...spec },
    ...(status ? { status } : {}),
  }
}

export function deployment({ metadata, spec, status }: Parts<Deployment> = {}): Deployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: namespaced('web', metadata),
    spec: { selector: { matchLabels: { app: 'web' } }, template: podTemplate(), ...spec },
    ...(status ? { status } : {}),
  }
}

export function replicaSet({ metadata, spec, status }: Parts<ReplicaSet> = {}): ReplicaSet {
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: namespaced('web', metadata),
    spec: { selector: { matchLabels: { app: 'web' } }, template: podTemplate(), ...spec },
    ...(status ? { status } : {}),
  }
}

export function statefulSet({ metadata, spec, status }: Parts<StatefulSet> = {}): StatefulSet {
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: namespaced('web', metadata),
    spec: { serviceName: 'web', selector: { matchLabels: { app: 'web' } }, template: podTemplate(), ...spec },
    ...(status ? { status } : {}),
  }
}

export function daemonSet({ metadata, spec, status }: Parts<DaemonSet> = {}): DaemonSet {
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: namespaced('web', metadata),
    spec: { selector: { matchLabels: { app: 'web' } }, template: podTemplate(), ...spec },
    ...(status ? { status } : {}),
  }
}

export function job({ metadata, spec, status }: Parts<Job> = {}): Job {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: namespaced('work', metadata),
    spec: { selector: { matchLabels: { app: 'web' } }, template: podTemplate(), ...spec },
    ...(status ? { status } : {}),
  }
}

export function cronJob({ metadata, spec, status }: Parts<CronJob> = {}): CronJob {
  return {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: namespaced('work', metadata),
    spec: { schedule: '0 * * * *', jobTemplate: { spec: { template: podTemplate() } }, ...spec },
    ...(status ? { status } : {}),
  }
}

export function service({ metadata, spec, status }: Parts<Service> = {}): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: namespaced('web', metadata),
    spec: { selector: { app: 'web' }, ports: [{ port: 80 }], ...spec },
    ...(status ? { status } : {}),
  }
}

export function node({ metadata, spec, status }: Parts<Node> = {}): Node {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'node-1', ...metadata },
    spec: { ...spec },
    ...(status ? { status } : {}),
  }
}

export function namespace(name = 'default'): Namespace {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name }, spec: {} }
}

function namespaced(name: string, metadata: ObjectMeta = {}): ObjectMeta {
  return { name, namespace: 'default', ...metadata }
}
