/** ip-address-controller: an IPAddress for every cluster IP, which names the service that has it, and goes with it. */

import { services } from '../../apis/core/service/definition.ts'
import type { Service } from '../../apis/core/types.gen.ts'
import { ipAddresses } from '../../apis/networking/ip-address.ts'
import type { IPAddress } from '../../apis/networking/types.gen.ts'
import { formatIp, parseIp } from '../../base/ip.ts'
import { keyText, type ObjectKey } from '../../machinery/meta/object.ts'
import { createAction, deleteAction } from '../runtime/action.ts'
import { type Cache, defineController, type Plan } from '../runtime/controller.ts'

const FAMILY_LABEL = 'ipaddress.kubernetes.io/ip-family'
const MANAGED_BY_LABEL = 'ipaddress.kubernetes.io/managed-by'
const ALLOCATOR = 'ipallocator.k8s.io'
const SERVICE_INDEX = 'allocated-for-service'

/** An address that its last service has not given back yet is looked at again after this time. */
const FOREIGN_RETRY_MS = 30_000

export interface IpAddressesView {
  /** Undefined: it is gone, and so are its addresses. */
  readonly service: Service | undefined
  /** Those that were written for the service. */
  readonly existing: readonly IPAddress[]
  /** Addresses that somebody else has written down. */
  readonly foreign: ReadonlySet<string>
}

export const ipAddressController = defineController({
  name: 'ip-address-controller',
  reconciles: services,
  watches: [{ definition: ipAddresses, keysOf: serviceKeys }],
  observe: (cache, key): IpAddressesView => {
    const service = cache.get(services, key)
    const existing = writtenFor(cache, key)
    const own = new Set(existing)
    const foreign = addressesOf(service).filter((name) => {
      const present = cache.get(ipAddresses, { name })
      return present !== undefined && !own.has(present)
    })
    return { service, existing, foreign: new Set(foreign) }
  },
  plan: planIpAddresses,
})

function serviceKeys({ metadata, spec }: IPAddress): readonly ObjectKey[] {
  const { group = '', resource, namespace, name } = spec?.parentRef ?? {}
  const isOurs = metadata.labels?.[MANAGED_BY_LABEL] === ALLOCATOR && group === '' && resource === 'services'
  return isOurs && name ? [{ namespace, name }] : []
}

function writtenFor(cache: Cache, key: ObjectKey): readonly IPAddress[] {
  const informer = cache.informer(ipAddresses)
  informer.addIndex(SERVICE_INDEX, (address) => serviceKeys(address).map(keyText))
  return informer.byIndex(SERVICE_INDEX, keyText(key)).filter(({ metadata }) => !metadata.deletionTimestamp)
}

export function planIpAddresses({ service, existing, foreign }: IpAddressesView): Plan {
  const wanted = addressesOf(service).filter((address) => !foreign.has(address))
  const present = new Set(existing.map(({ metadata }) => metadata.name))
  const missing = wanted.filter((address) => !present.has(address))
  const surplus = existing.filter(({ metadata }) => !wanted.includes(metadata.name ?? ''))
  return {
    actions: [
      ...missing.map((address) => createAction(ipAddresses, ipAddressFor(service, address))),
      ...surplus.map((address) => deleteAction(ipAddresses, address)),
    ],
    ...(foreign.size > 0 && { requeueAfterMs: FOREIGN_RETRY_MS }),
  }
}

/** In the form that names an IPAddress. */
function addressesOf(service: Service | undefined): readonly string[] {
  return (service?.spec?.clusterIPs ?? []).flatMap((text) => {
    const address = parseIp(text)
    return address ? [formatIp(address.family, address.value)] : []
  })
}

function ipAddressFor(service: Service | undefined, name: string): Omit<IPAddress, 'apiVersion' | 'kind'> {
  const { namespace, name: serviceName = '' } = service?.metadata ?? {}
  const family = name.includes(':') ? 'IPv6' : 'IPv4'
  return {
    metadata: { name, labels: { [FAMILY_LABEL]: family, [MANAGED_BY_LABEL]: ALLOCATOR } },
    spec: { parentRef: { group: '', resource: 'services', namespace, name: serviceName } },
  }
}
