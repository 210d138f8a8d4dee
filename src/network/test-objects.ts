/** Services, slices and informers for the tests of the service network. */

import type { Service, ServiceSpec } from '../apis/core/types.gen.ts'
import type { ResourceDefinition } from '../apis/definition.ts'
import type { Endpoint, EndpointSlice } from '../apis/discovery/types.gen.ts'
import { InformerStore } from '../client/informer.ts'
import type { Informers } from '../client/informers.ts'
import type { KubeObject } from '../machinery/meta/object.ts'

export function service(name: string, spec: Partial<ServiceSpec>, rest: Partial<Service> = {}): Service {
  const { clusterIP } = spec
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: 'default', name, uid: `uid-of-${name}` },
    spec: { type: 'ClusterIP', ...(clusterIP && { clusterIPs: [clusterIP] }), ports: [{ port: 80 }], ...spec },
    ...rest,
  }
}

export function endpoint(address: string, rest: Partial<Endpoint> = {}): Endpoint {
  return { addresses: [address], conditions: { ready: true, serving: true, terminating: false }, ...rest }
}

export function slice(
  serviceName: string,
  endpoints: readonly Endpoint[],
  { ports = [{ name: '', port: 8080, protocol: 'TCP' }], ...rest }: Partial<EndpointSlice> = {},
): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { namespace: 'default', name: `${serviceName}-1`, labels: { 'kubernetes.io/service-name': serviceName } },
    addressType: 'IPv4',
    endpoints,
    ports,
    ...rest,
  }
}

export interface TestInformers extends Informers {
  /** The resource now has these objects and no others. */
  set<T extends KubeObject>(definition: ResourceDefinition<T>, objects: readonly T[]): void
}

/** Informers without a server; each has synced from the start. */
export function testInformers(): TestInformers {
  const stores = new Map<string, InformerStore<KubeObject>>()
  let revision = 0
  const storeOf = <T extends KubeObject>({ group, resource }: ResourceDefinition<T>): InformerStore<T> => {
    const key = `${resource}.${group}`
    const store = stores.get(key) ?? new InformerStore<KubeObject>()
    if (!stores.has(key)) store.replace([], 0)
    stores.set(key, store)
    return store as unknown as InformerStore<T>
  }
  return {
    of: (definition) => storeOf(definition),
    set(definition, objects) {
      revision++
      const versioned = objects.map((object) => {
        const metadata = { ...object.metadata, resourceVersion: String(revision) }
        return { ...object, metadata }
      })
      storeOf(definition).replace(versioned, revision)
    },
    whenSynced: async () => {},
    [Symbol.asyncDispose]: async () => {},
  }
}
