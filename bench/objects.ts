/** The objects that the rows send: the same bytes in every run. */

const PAYLOAD = 'x'.repeat(1_000)

/** About 1 KB. */
export function configMap(name: string): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { payload: PAYLOAD } })
}

/** A pending pod, about 2.5 KB once stored. `scheduler`: whose it is; another than the cluster's own leaves it pending. */
export function pod(name: string, scheduler = 'default-scheduler'): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: 'bench', shard: 's-{c}' } },
    spec: {
      schedulerName: scheduler,
      containers: [
        {
          name: 'main',
          image: 'registry.example/bench:1',
          ports: [{ containerPort: 8_080, name: 'http' }],
          env: [{ name: 'MODE', value: 'bench' }],
          resources: { requests: { cpu: '10m', memory: '16Mi' } },
        },
      ],
    },
  })
}

/** About 1 KB, in a stream of its own, with the time at which it was sent. */
export function sentConfigMap(name: string, stream: string): string {
  const metadata = { name, labels: { stream }, annotations: { 'bench/sent': '{now}' } }
  return JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { payload: PAYLOAD } })
}

/** What a node offers, on both sides. */
export const NODE_RESOURCES = { cpu: '32', memory: '256Gi', pods: '110' }

/** A node in one of a hundred zones that is Ready and of which nobody takes care. */
export function node(name: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name, 'topology.kubernetes.io/zone': 'zone-{c}' } },
    status: {
      allocatable: NODE_RESOURCES,
      capacity: NODE_RESOURCES,
      conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'ready' }],
    },
  })
}

const ENVIRONMENT = Array.from({ length: 25 }, (_, index) => ({
  name: `SETTING_${index}`,
  value: `value-${index}-of-a-setting-that-a-real-program-has`,
}))
const PROBE = { httpGet: { path: '/healthz', port: 8_080 }, periodSeconds: 10, failureThreshold: 3 }

/** About 10 KB once stored; pending, of nobody's scheduler. */
export function realisticPod(name: string): string {
  const container = (index: number) => ({
    name: `container-${index}`,
    image: `registry.example/team/program-${index}:v1.2.3`,
    args: ['--verbosity=2', '--listen=:8080', '--configuration=/etc/program/program.yaml'],
    ports: [{ containerPort: 8_080 + index, name: `http-${index}` }],
    env: ENVIRONMENT,
    resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { cpu: '1', memory: '512Mi' } },
    livenessProbe: PROBE,
    readinessProbe: PROBE,
    volumeMounts: [{ name: 'configuration', mountPath: '/etc/program' }],
  })
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      labels: { app: 'bench', shard: 's-{c}', team: 'platform', version: 'v1.2.3' },
      annotations: { 'example.com/checksum': 'f'.repeat(64), 'example.com/owner': 'somebody@example.com' },
    },
    spec: {
      schedulerName: 'nobody',
      containers: [0, 1].map(container),
      volumes: [{ name: 'configuration', configMap: { name: 'program' } }],
    },
  })
}
