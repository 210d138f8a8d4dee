/** The cluster's names as the informers see them: every lookup is by an index. */

import { namespaces } from '../../apis/core/namespace.ts'
import { services } from '../../apis/core/service/definition.ts'
import { endpointSlices, SERVICE_NAME_LABEL } from '../../apis/discovery/endpoint-slice.ts'
import type { Informers } from '../../client/informers.ts'
import type { ClusterNames } from './records.ts'

const SERVICE_ADDRESS_INDEX = 'cluster-address'
const SLICE_SERVICE_INDEX = 'dns-service'
const SLICE_ADDRESS_INDEX = 'dns-address'

export function clusterNames(informers: Informers): ClusterNames {
  const allNamespaces = informers.of(namespaces)
  const allServices = informers.of(services)
  const allSlices = informers.of(endpointSlices)
  allServices.addIndex(SERVICE_ADDRESS_INDEX, ({ spec }) => spec?.clusterIPs ?? [])
  allSlices.addIndex(SLICE_SERVICE_INDEX, ({ metadata }) => [
    `${metadata.namespace}/${metadata.labels?.[SERVICE_NAME_LABEL] ?? ''}`,
  ])
  allSlices.addIndex(SLICE_ADDRESS_INDEX, ({ endpoints }) => (endpoints ?? []).flatMap(({ addresses }) => addresses))
  return {
    hasNamespace: (name) => allNamespaces.get({ name }) !== undefined,
    service: (namespace, name) => allServices.get({ namespace, name }),
    slices: (namespace, service) => allSlices.byIndex(SLICE_SERVICE_INDEX, `${namespace}/${service}`),
    serviceAt: (address) => allServices.byIndex(SERVICE_ADDRESS_INDEX, address)[0],
    slicesAt: (address) => allSlices.byIndex(SLICE_ADDRESS_INDEX, address),
  }
}
