/**
 * cluster-authentication-trust-controller: `kube-system/extension-apiserver-authentication` tells API servers that stand
 * behind this one by which authorities and headers it vouches for its callers.
 */

import { configMaps } from '../../apis/core/config-map.ts'
import { namespaces } from '../../apis/core/namespace.ts'
import type { ConfigMap } from '../../apis/core/types.gen.ts'
import { deepEqual } from '../../base/deep-equal.ts'
import type { Client } from '../../client/client.ts'
import { partOf } from '../../client/informers.ts'
import { undefinedIfNotFound } from '../../machinery/meta/api-error.ts'
import type { LoopController } from '../runtime/controller.ts'
import { keyedLoop } from '../runtime/keyed-loop.ts'

export interface TrustSettings {
  /** PEM: signs the certificates of clients. */
  readonly rootCa: string
  /** PEM: signs the certificate with which the API server comes to those behind it. Made when first asked for. */
  readonly frontProxyCa: () => Promise<string>
}

const KEY = { namespace: 'kube-system', name: 'extension-apiserver-authentication' }
const WORKERS = 1
/** The common name in the API server's certificate, and its headers; as kubeadm sets them. */
const HEADERS = {
  'requestheader-allowed-names': ['front-proxy-client'],
  'requestheader-extra-headers-prefix': ['X-Remote-Extra-'],
  'requestheader-group-headers': ['X-Remote-Group'],
  'requestheader-uid-headers': ['X-Remote-Uid'],
  'requestheader-username-headers': ['X-Remote-User'],
}

export function authenticationTrustController(settings: TrustSettings): LoopController {
  return keyedLoop({
    name: 'cluster-authentication-trust-controller',
    definition: namespaces,
    workers: WORKERS,
    isDue: ({ metadata }) => metadata.name === KEY.namespace && !metadata.deletionTimestamp,
    wakes: [
      {
        definition: partOf(configMaps, { namespace: KEY.namespace, fieldSelector: `metadata.name=${KEY.name}` }),
        keysOf: () => [{ name: KEY.namespace }],
      },
    ],
    work: ({ client }) => publish(client, settings),
  })
}

async function publish(client: Client, { rootCa, frontProxyCa }: TrustSettings): Promise<void> {
  const existing = await client.of(configMaps).get(KEY).catch(undefinedIfNotFound)
  const data = trustData(existing, rootCa, await frontProxyCa())
  if (!existing) await client.of(configMaps).create({ metadata: KEY, data })
  else if (!deepEqual(existing.data, data)) await client.of(configMaps).update({ ...existing, data })
}

/** What others wrote there stays. */
export function trustData(
  existing: Pick<ConfigMap, 'data'> | undefined,
  clientCa: string,
  frontProxyCa: string,
): Readonly<Record<string, string>> {
  const headers = Object.entries(HEADERS).map(([key, list]) => [key, JSON.stringify(list)])
  return {
    ...existing?.data,
    'client-ca-file': clientCa,
    'requestheader-client-ca-file': frontProxyCa,
    ...Object.fromEntries(headers),
  }
}
