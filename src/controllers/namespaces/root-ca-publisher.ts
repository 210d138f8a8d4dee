/** root-ca-certificate-publisher-controller: every living namespace has a ConfigMap with the cluster's CA certificate. */

import { configMaps } from '../../apis/core/config-map.ts'
import { namespaces } from '../../apis/core/namespace.ts'
import type { ConfigMap } from '../../apis/core/types.gen.ts'
import { deepEqual } from '../../base/deep-equal.ts'
import { partOf } from '../../client/informers.ts'
import { createAction, updateAction } from '../runtime/action.ts'
import { defineController, type Plan, type ReconcilingController } from '../runtime/controller.ts'

export const ROOT_CA_NAME = 'kube-root-ca.crt'

const rootCas = partOf(configMaps, { fieldSelector: `metadata.name=${ROOT_CA_NAME}` })

/** Tells readers where the bundle comes from, as upstream. */
const DESCRIPTION = {
  'kubernetes.io/description':
    'Contains a CA bundle that can be used to verify the API server of this cluster, such as when using the in-cluster address.',
}

export interface RootCaView {
  readonly namespace: string
  readonly existing: ConfigMap | undefined
  /** PEM. */
  readonly certificate: string
}

export function rootCaPublisher(certificate: string): ReconcilingController<RootCaView> {
  return defineController({
    name: 'root-ca-certificate-publisher-controller',
    reconciles: namespaces,
    watches: [
      {
        definition: rootCas,
        keysOf: ({ metadata }) => [{ name: metadata.namespace ?? '' }],
      },
    ],
    observe: (cache, key): RootCaView | undefined => {
      const namespace = cache.get(namespaces, key)
      if (namespace?.status?.phase !== 'Active' || namespace.metadata.deletionTimestamp) return undefined
      return {
        namespace: key.name,
        existing: cache.get(rootCas, { namespace: key.name, name: ROOT_CA_NAME }),
        certificate,
      }
    },
    plan: planRootCa,
  })
}

export function planRootCa({ namespace, existing, certificate }: RootCaView): Plan {
  const data = { 'ca.crt': certificate }
  if (!existing) {
    const metadata = { namespace, name: ROOT_CA_NAME, annotations: DESCRIPTION }
    return { actions: [createAction(rootCas, { metadata, data })] }
  }
  return { actions: deepEqual(existing.data, data) ? [] : [updateAction(rootCas, { ...existing, data })] }
}
