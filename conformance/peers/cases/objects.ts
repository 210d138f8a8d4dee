/** Objects that many cases send. */

export const configMap = (name: string, more: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data: { key: 'value' },
  ...more,
})

export const podSpec = { containers: [{ name: 'app', image: 'registry.example/app:1' }] }

export const pod = (name: string, more: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: { app: name } },
  spec: { ...podSpec, ...more },
})

export const deployment = (name: string, more: object = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, labels: { app: name } },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: podSpec },
    ...more,
  },
})

export const service = (name: string, spec: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { selector: { app: name }, ports: [{ port: 80 }], ...spec },
})

const NAMESPACED = (group: string, resource: string) => `${group}/namespaces/{ns}/${resource}`

export const MAPS = NAMESPACED('/api/v1', 'configmaps')
export const PODS = NAMESPACED('/api/v1', 'pods')
export const SECRETS = NAMESPACED('/api/v1', 'secrets')
export const SERVICES = NAMESPACED('/api/v1', 'services')
export const ACCOUNTS = NAMESPACED('/api/v1', 'serviceaccounts')
export const DEPLOYMENTS = NAMESPACED('/apis/apps/v1', 'deployments')
