/** The custom resource that the operators look after, what they may do, and how the test sees it. */

import { ApiError } from '../../../../src/machinery/meta/api-error.ts'
import type { KubeList, KubeObject } from '../../../../src/machinery/meta/object.ts'
import { eventually } from '../../kubectl/support/eventually.ts'
import type { ClientsCluster } from './cluster.ts'

export const MANAGER = 'widget-operator'

export interface Widget extends KubeObject {
  readonly spec: { readonly size: number; readonly message: string }
  readonly status?: {
    readonly phase?: string
    readonly parts?: number
    readonly observedGeneration?: number
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason: string }[]
  }
}

export interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>
}

const text = { type: 'string' }
const integer = { type: 'integer', format: 'int64' }

const CONDITION = {
  type: 'object',
  required: ['type', 'status', 'lastTransitionTime', 'reason', 'message'],
  properties: {
    type: text,
    status: { ...text, enum: ['True', 'False', 'Unknown'] },
    observedGeneration: integer,
    lastTransitionTime: { ...text, format: 'date-time' },
    reason: text,
    message: text,
  },
}

const SCHEMA = {
  type: 'object',
  required: ['spec'],
  properties: {
    spec: {
      type: 'object',
      required: ['message'],
      properties: {
        size: { ...integer, minimum: 0, maximum: 20, default: 1 },
        message: { ...text, maxLength: 100 },
      },
    },
    status: {
      type: 'object',
      properties: {
        phase: text,
        parts: integer,
        observedGeneration: integer,
        conditions: {
          type: 'array',
          items: CONDITION,
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['type'],
        },
      },
    },
  },
}

const WIDGET_DEFINITION = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.clients.example.com' },
  spec: {
    group: 'clients.example.com',
    scope: 'Namespaced',
    names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList', shortNames: ['wd'] },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: SCHEMA },
        subresources: {
          status: {},
          scale: { specReplicasPath: '.spec.size', statusReplicasPath: '.status.parts' },
        },
        selectableFields: [{ jsonPath: '.spec.message' }],
        additionalPrinterColumns: [
          { name: 'Size', type: 'integer', jsonPath: '.spec.size' },
          { name: 'Phase', type: 'string', jsonPath: '.status.phase' },
          { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
        ],
      },
    ],
  },
}

const RULES = [
  { apiGroups: ['clients.example.com'], resources: ['widgets'], verbs: ['get', 'list', 'watch', 'update', 'patch'] },
  { apiGroups: ['clients.example.com'], resources: ['widgets/status'], verbs: ['update', 'patch'] },
  { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list', 'watch', 'create', 'update', 'patch'] },
  { apiGroups: ['', 'events.k8s.io'], resources: ['events'], verbs: ['create', 'patch'] },
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get', 'create', 'update', 'patch'] },
]

/** What one operator may do in its namespace, and nothing outside of it. */
export function roleAndBinding(subject: object) {
  const metadata = { name: MANAGER }
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: MANAGER }
  return { role: { metadata, rules: RULES }, binding: { metadata, roleRef, subjects: [subject] } }
}

/** Creates the definition and waits until its resource is served. */
export async function defineWidgets({ ask }: Pick<ClientsCluster, 'ask'>): Promise<void> {
  const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
  await ask({ method: 'POST', path, object: WIDGET_DEFINITION })
  await eventually(() => ask({ path: '/apis/clients.example.com/v1/widgets' }))
}

/** The Widgets and ConfigMaps of one namespace. */
export function widgetsIn({ ask }: ClientsCluster, namespace: string) {
  const widgets = `/apis/clients.example.com/v1/namespaces/${namespace}/widgets`
  const configMaps = `/api/v1/namespaces/${namespace}/configmaps`
  const headers = { 'content-type': 'application/merge-patch+json' }
  return {
    create: (name: string, spec: object) => {
      const object = { apiVersion: 'clients.example.com/v1', kind: 'Widget', metadata: { name }, spec }
      return ask<Widget>({ method: 'POST', path: widgets, object })
    },
    change: (name: string, spec: object) =>
      ask<Widget>({ method: 'PATCH', path: `${widgets}/${name}`, object: { spec }, headers }),
    remove: (name: string) => ask({ method: 'DELETE', path: `${widgets}/${name}` }),
    list: async () => (await ask<KubeList<Widget>>({ path: widgets })).items,
    get: (name: string) => ask<Widget>({ path: `${widgets}/${name}` }),
    /** What is in the ConfigMap of a widget; undefined: there is none. */
    parts: (name: string) => dataOf(ask<ConfigMap>({ path: `${configMaps}/${name}-parts` })),
    cleanup: () => dataOf(ask<ConfigMap>({ path: `${configMaps}/cleanup` })),
    removeParts: (name: string) => ask({ method: 'DELETE', path: `${configMaps}/${name}-parts` }),
    partsLists: async () => {
      const query = { labelSelector: `app.kubernetes.io/managed-by=${MANAGER}` }
      return (await ask<KubeList<ConfigMap>>({ path: configMaps, query })).items
    },
    lease: () => ask<Lease>({ path: `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/${MANAGER}` }),
    events: async () => (await ask<KubeList<Event>>({ path: `/api/v1/namespaces/${namespace}/events` })).items,
  }
}

interface Lease extends KubeObject {
  readonly spec: { readonly holderIdentity?: string; readonly leaseTransitions?: number }
}

interface Event extends KubeObject {
  readonly reason: string
  readonly type: string
  readonly involvedObject: { readonly kind: string; readonly name: string }
}

async function dataOf(asked: Promise<ConfigMap>): Promise<ConfigMap['data'] | undefined> {
  try {
    return (await asked).data ?? {}
  } catch (error) {
    if (error instanceof ApiError && error.code === 404) return undefined
    throw error
  }
}
