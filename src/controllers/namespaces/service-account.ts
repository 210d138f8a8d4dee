/** serviceaccount-controller: every living namespace has a ServiceAccount `default`. */

import { namespaces } from '../../apis/core/namespace.ts'
import { serviceAccounts } from '../../apis/core/service-account.ts'
import { createAction } from '../runtime/action.ts'
import { defineController, type Plan } from '../runtime/controller.ts'

const NAME = 'default'

export interface ServiceAccountView {
  readonly namespace: string
  readonly exists: boolean
}

export const serviceAccountController = defineController({
  name: 'serviceaccount-controller',
  reconciles: namespaces,
  watches: [
    {
      definition: serviceAccounts,
      keysOf: ({ metadata }) => (metadata.name === NAME ? [{ name: metadata.namespace ?? '' }] : []),
    },
  ],
  observe: (cache, key): ServiceAccountView | undefined => {
    const namespace = cache.get(namespaces, key)
    if (namespace?.status?.phase !== 'Active' || namespace.metadata.deletionTimestamp) return undefined
    const existing = cache.get(serviceAccounts, { namespace: key.name, name: NAME })
    return { namespace: key.name, exists: existing !== undefined && !existing.metadata.deletionTimestamp }
  },
  plan: planServiceAccount,
})

export function planServiceAccount({ namespace, exists }: ServiceAccountView): Plan {
  if (exists) return { actions: [] }
  return { actions: [createAction(serviceAccounts, { metadata: { namespace, name: NAME } })] }
}
