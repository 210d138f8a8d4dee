/** What exists in every cluster from its first moment: namespaces, the API's own Service and where it leads. */

import { NODE_LEASE_NAMESPACE } from '../apis/coordination/lease.ts'
import { endpoints } from '../apis/core/endpoints.ts'
import { namespaces } from '../apis/core/namespace.ts'
import { services } from '../apis/core/service/definition.ts'
import type { ResourceDefinition } from '../apis/definition.ts'
import { endpointSlices, SERVICE_NAME_LABEL } from '../apis/discovery/endpoint-slice.ts'
import { serviceCidrs } from '../apis/networking/service-cidr.ts'
import { priorityClasses } from '../apis/scheduling/priority-class.ts'
import { deepEqual } from '../base/deep-equal.ts'
import type { Client, New } from '../client/client.ts'
import { isAlreadyExists, undefinedIfNotFound } from '../machinery/meta/api-error.ts'
import { type KubeObject, keyOf } from '../machinery/meta/object.ts'
import type { Registries } from '../server/registry/registries.ts'
import { ensureServerObjects, seedServerObjects } from './bootstrap-objects.ts'
import { apiServiceAddress, type ClusterConfig, dnsAddress } from './config.ts'

/** Whom the fields of all this belong to: the same as if the server's own client wrote it. */
const MANAGER = 'kube-apiserver'
const NAMESPACES = ['default', 'kube-system', 'kube-public', NODE_LEASE_NAMESPACE]
const SYSTEM_PRIORITIES = [
  {
    name: 'system-cluster-critical',
    value: 2_000_000_000,
    description:
      'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
  },
  {
    name: 'system-node-critical',
    value: 2_000_001_000,
    description: 'Used for system critical pods that must not be moved from their current node.',
  },
]
const API_SERVICE = { namespace: 'default', name: 'kubernetes' }
const DNS_SERVICE = { namespace: 'kube-system', name: 'kube-dns' }
const API_LABELS = { component: 'apiserver', provider: 'kubernetes' }
const HTTPS_PORT = 443
const DNS_PORT = 53

/** Writes into a storage that has nothing what a server begins with, but for services: those get their addresses. */
export async function seedBootstrap(registries: Registries, config: ClusterConfig): Promise<void> {
  await Promise.all([
    seedServerObjects(registries),
    registries.of(namespaces).seed(NAMESPACES.map(namespace), MANAGER),
    registries.of(priorityClasses).seed(SYSTEM_PRIORITIES.map(priorityClass), MANAGER),
    registries.of(serviceCidrs).seed([serviceRange(config)], MANAGER),
  ])
}

/** Creates what is missing. Safe to repeat. `isSeeded`: what can be seeded has just been. */
export async function bootstrap(client: Client, config: ClusterConfig, isSeeded = false): Promise<void> {
  if (!isSeeded) {
    await Promise.all(NAMESPACES.map((name) => ensure(client, namespaces, namespace(name))))
    await Promise.all([
      ensureServerObjects(client),
      ...SYSTEM_PRIORITIES.map((one) => ensure(client, priorityClasses, priorityClass(one))),
      ensure(client, serviceCidrs, serviceRange(config)),
    ])
  }
  await Promise.all([apiService(config), dnsService(config)].map((service) => ensure(client, services, service)))
}

function namespace(name: string) {
  return { metadata: { name }, spec: {} }
}

function priorityClass({ name, ...rest }: (typeof SYSTEM_PRIORITIES)[number]) {
  return { metadata: { name }, globalDefault: false, ...rest }
}

function serviceRange({ serviceCidr }: ClusterConfig) {
  return { metadata: { name: 'kubernetes' }, spec: { cidrs: [serviceCidr] } }
}

/** Looks first: creating a Service that exists fails for its address before it fails for its name. */
async function ensure<T extends KubeObject>(
  client: Client,
  definition: ResourceDefinition<T>,
  object: New<T>,
): Promise<void> {
  if (await client.of(definition).get(keyOf(object)).catch(undefinedIfNotFound)) return
  try {
    await client.of(definition).create(object)
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
  }
}

function apiService(config: ClusterConfig) {
  const clusterIP = apiServiceAddress(config)
  return {
    metadata: { ...API_SERVICE, labels: API_LABELS },
    spec: {
      type: 'ClusterIP' as const,
      clusterIP,
      clusterIPs: [clusterIP],
      sessionAffinity: 'None' as const,
      ports: [{ name: 'https', port: HTTPS_PORT, protocol: 'TCP' as const, targetPort: config.port || HTTPS_PORT }],
    },
  }
}

/** The address under which pods ask for names. The server behind it is the cluster's own, on every node. */
function dnsService(config: ClusterConfig) {
  const clusterIP = dnsAddress(config)
  return {
    metadata: {
      ...DNS_SERVICE,
      labels: { 'k8s-app': 'kube-dns', 'kubernetes.io/cluster-service': 'true', 'kubernetes.io/name': 'CoreDNS' },
    },
    spec: {
      type: 'ClusterIP' as const,
      clusterIP,
      clusterIPs: [clusterIP],
      sessionAffinity: 'None' as const,
      ports: [
        { name: 'dns', port: DNS_PORT, protocol: 'UDP' as const, targetPort: DNS_PORT },
        { name: 'dns-tcp', port: DNS_PORT, protocol: 'TCP' as const, targetPort: DNS_PORT },
      ],
    },
  }
}

export interface Place {
  readonly address: string
  readonly port: number
}

/** Points default/kubernetes at where the API server listens. */
export async function publishApiEndpoints(client: Client, { address, port }: Place): Promise<void> {
  await publish(client, API_SERVICE, address, [{ name: 'https', port, protocol: 'TCP' }])
}

/** Points kube-system/kube-dns at where the DNS server listens. */
export async function publishDnsEndpoints(client: Client, { address, port }: Place): Promise<void> {
  await publish(client, DNS_SERVICE, address, [
    { name: 'dns', port, protocol: 'UDP' },
    { name: 'dns-tcp', port, protocol: 'TCP' },
  ])
}

interface NamedPort {
  readonly name: string
  readonly port: number
  readonly protocol: 'TCP' | 'UDP'
}

/** Points a service without selector at one address, in both of the API's forms. */
async function publish(
  client: Client,
  service: { readonly namespace: string; readonly name: string },
  address: string,
  ports: readonly NamedPort[],
): Promise<void> {
  await replace(
    client,
    endpoints,
    {
      // Both forms are written here, so nothing is left to mirror.
      metadata: { ...service, labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
      subsets: [{ addresses: [{ ip: address }], ports }],
    },
    ({ subsets }) => subsets,
  )
  await replace(
    client,
    endpointSlices,
    {
      metadata: { ...service, labels: { [SERVICE_NAME_LABEL]: service.name } },
      addressType: 'IPv4' as const,
      endpoints: [{ addresses: [address], conditions: { ready: true } }],
      ports,
    },
    ({ endpoints: list, ports: numbers }) => [list, numbers],
  )
}

async function replace<T extends KubeObject>(
  client: Client,
  definition: ResourceDefinition<T>,
  object: New<T> & T,
  part: (object: T) => unknown,
): Promise<void> {
  const { name = '', namespace } = object.metadata
  const current = await client.of(definition).get({ namespace, name }).catch(undefinedIfNotFound)
  if (!current) await ensure(client, definition, object)
  else if (!deepEqual(part(current), part(object)))
    await client.of(definition).update({ ...current, ...object, metadata: current.metadata })
}
