/**
 * bootstrap-signer-controller: `kube-public/cluster-info`, which everybody may read, is signed with every bootstrap
 * token that is for signing: who bears one can tell that the kubeconfig in it is the cluster's.
 */

import { createHmac } from 'node:crypto'
import {
  BOOTSTRAP_TOKEN_NAMESPACE,
  type BootstrapToken,
  bootstrapTokenEndMs,
  bootstrapTokenOf,
} from '../../apis/core/bootstrap-token.ts'
import { configMaps } from '../../apis/core/config-map.ts'
import { secrets } from '../../apis/core/secret.ts'
import type { ConfigMap, Secret } from '../../apis/core/types.gen.ts'
import { deepEqual } from '../../base/deep-equal.ts'
import { partOf } from '../../client/informers.ts'
import { updateAction } from '../runtime/action.ts'
import { defineController, type Plan } from '../runtime/controller.ts'

const CLUSTER_INFO = { namespace: 'kube-public', name: 'cluster-info' }
const clusterInfo = partOf(configMaps, {
  namespace: CLUSTER_INFO.namespace,
  fieldSelector: `metadata.name=${CLUSTER_INFO.name}`,
})
const CONTENT_KEY = 'kubeconfig'
const SIGNATURE_PREFIX = 'jws-kubeconfig-'

export interface SignerView {
  readonly info: ConfigMap
  /** Secrets of the tokens' namespace. */
  readonly secrets: readonly Secret[]
}

export const bootstrapSigner = defineController({
  name: 'bootstrap-signer-controller',
  reconciles: clusterInfo,
  watches: [{ definition: secrets, keysOf: (secret: Secret) => (bootstrapTokenOf(secret) ? [CLUSTER_INFO] : []) }],
  observe: (cache, key): SignerView | undefined => {
    const info = cache.get(clusterInfo, key)
    return info && { info, secrets: cache.list(secrets, BOOTSTRAP_TOKEN_NAMESPACE) }
  },
  plan: planSignatures,
})

export function planSignatures({ info, secrets: all }: SignerView, nowMs: number): Plan {
  const content = info.data?.[CONTENT_KEY]
  if (content === undefined) return { actions: [] }
  const unsigned = Object.entries(info.data ?? {}).filter(([key]) => !key.startsWith(SIGNATURE_PREFIX))
  const signatures = signingTokens(all, nowMs).map((token) => [
    `${SIGNATURE_PREFIX}${token.id}`,
    signature(content, token),
  ])
  const data: Record<string, string> = Object.fromEntries([...unsigned, ...signatures])
  return { actions: deepEqual(data, info.data) ? [] : [updateAction(clusterInfo, { ...info, data })] }
}

function signingTokens(all: readonly Secret[], nowMs: number): readonly BootstrapToken[] {
  const living = all.filter((secret) => bootstrapTokenEndMs(secret) > nowMs)
  return living.flatMap((secret) => bootstrapTokenOf(secret) ?? []).filter(({ signs }) => signs)
}

/** A JWS whose payload is left out: `header..signature`, HS256 with the token's secret. */
function signature(content: string, { id, secret }: BootstrapToken): string {
  const header = Buffer.from(JSON.stringify({ alg: 'HS256', kid: id })).toString('base64url')
  const payload = Buffer.from(content).toString('base64url')
  const signed = createHmac('sha256', secret).update(`${header}.${payload}`).digest('base64url')
  return `${header}..${signed}`
}
