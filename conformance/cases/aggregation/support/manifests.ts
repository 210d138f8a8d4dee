/** What an operator applies to have the sample API server behind a cluster, as JSON. */

const GROUP = 'wardle.example.com'
const ACCOUNT = { kind: 'ServiceAccount', name: 'apiserver', namespace: 'wardle' }
const RBAC = 'rbac.authorization.k8s.io'

export interface SamplePlace {
  /** Of this machine. */
  readonly port: number
  /** PEM: who vouches for the server. */
  readonly authority: string
}

export function sampleManifests({ port, authority }: SamplePlace): string {
  const rules = ['', 'admissionregistration.k8s.io', 'flowcontrol.apiserver.k8s.io'].map((group) => ({
    apiGroups: [group],
    resources: group === '' ? ['namespaces'] : ['*'],
    verbs: ['get', 'list', 'watch'],
  }))
  const caBundle = Buffer.from(authority).toString('base64')
  const items = [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'wardle' } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'apiserver', namespace: 'wardle' } },
    { apiVersion: `${RBAC}/v1`, kind: 'ClusterRole', metadata: { name: 'wardle-reader' }, rules },
    binding('ClusterRoleBinding', 'wardle-reader', 'ClusterRole', 'wardle-reader'),
    binding('ClusterRoleBinding', 'wardle-delegator', 'ClusterRole', 'system:auth-delegator'),
    {
      ...{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'api', namespace: 'wardle' } },
      spec: { type: 'ExternalName', externalName: 'localhost' },
    },
    ...['v1alpha1', 'v1beta1'].map((version) => ({
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: `${version}.${GROUP}` },
      spec: {
        ...{ group: GROUP, version, groupPriorityMinimum: 2_000, versionPriority: version === 'v1beta1' ? 100 : 200 },
        ...{ caBundle, service: { name: 'api', namespace: 'wardle', port } },
      },
    })),
  ]
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items })
}

/** For namespace kube-system: the server may read whom it can believe. */
export function trustManifest(): string {
  return JSON.stringify(binding('RoleBinding', 'wardle-reader', 'Role', 'extension-apiserver-authentication-reader'))
}

function binding(kind: string, name: string, roleKind: string, roleName: string): object {
  return {
    ...{ apiVersion: `${RBAC}/v1`, kind, metadata: { name } },
    roleRef: { apiGroup: RBAC, kind: roleKind, name: roleName },
    subjects: [ACCOUNT],
  }
}

export function flunder(name: string, more: object = {}): string {
  return JSON.stringify({ apiVersion: `${GROUP}/v1alpha1`, kind: 'Flunder', metadata: { name, ...more }, spec: {} })
}
