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
