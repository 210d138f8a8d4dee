/** What the cases apply: the web server of the story, with everything that a pod is given in it. */

export interface WebOptions {
  readonly image: string
  readonly replicas: number
  /** Fields of the pod's spec. */
  readonly pod?: object
}

/** What a Deployment's pods are given besides their image. */
export const CONFIG = { greeting: 'hello', token: 'open-sesame' }

/** The ConfigMap and the Secret that `web` reads, and the Service in front of it. */
export function webParts(): string {
  return [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'greetings' }, data: { greeting: CONFIG.greeting } },
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'keys' }, stringData: { token: CONFIG.token } },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web' },
      spec: { selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
    },
  ]
    .map((object) => JSON.stringify(object))
    .join('\n')
}

/** Ready is who answers, and was not told to say no. */
const READY = 'test ! -f /tmp/unready && wget -qO /dev/null http://127.0.0.1:8080/'

/** A Deployment `web`. Its pods stay a moment after they leave the Service, so that no request is lost. */
export function webDeployment({ image, replicas, pod = {} }: WebOptions): string {
  return JSON.stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: {
      replicas,
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, spec: { ...podSpec(image), ...pod } },
    },
  })
}

function podSpec(image: string): object {
  const fieldOf = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } })
  const probe = { periodSeconds: 1, timeoutSeconds: 5 }
  return {
    terminationGracePeriodSeconds: 10,
    volumes: [{ name: 'keys', secret: { secretName: 'keys' } }],
    containers: [
      {
        name: 'web',
        image,
        ports: [{ name: 'http', containerPort: 8080 }],
        env: [
          fieldOf('POD_NAME', 'metadata.name'),
          fieldOf('NODE_NAME', 'spec.nodeName'),
          { name: 'GREETING', valueFrom: { configMapKeyRef: { name: 'greetings', key: 'greeting' } } },
        ],
        volumeMounts: [{ name: 'keys', mountPath: '/etc/secret', readOnly: true }],
        readinessProbe: { ...probe, exec: { command: ['sh', '-c', READY] }, failureThreshold: 1 },
        livenessProbe: { ...probe, httpGet: { path: '/', port: 'http' } },
        // Clients before 1.29 drop a `sleep` handler when they write a template back.
        lifecycle: { preStop: { exec: { command: ['sleep', '3'] } } },
        resources: { requests: { cpu: '5m', memory: '8Mi' }, limits: { memory: '64Mi' } },
      },
    ],
  }
}
