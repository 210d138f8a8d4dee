/** token-cleaner-controller: bootstrap tokens go when they have expired. */

import { BOOTSTRAP_TOKEN_TYPE, bootstrapTokenEndMs } from '../../apis/core/bootstrap-token.ts'
import { secrets } from '../../apis/core/secret.ts'
import type { Secret } from '../../apis/core/types.gen.ts'
import { deleteAction } from '../runtime/action.ts'
import { defineController, type Plan } from '../runtime/controller.ts'

const NAMESPACE = 'kube-system'
/** Timers cannot be set further ahead; the rest is waited for after that. */
const LOOK_AGAIN_MS_MAX = 24 * 3_600_000

export const tokenCleaner = defineController({
  name: 'token-cleaner-controller',
  reconciles: secrets,
  observe: (cache, key): Secret | undefined => {
    if (key.namespace !== NAMESPACE) return undefined
    const secret = cache.get(secrets, key)
    return secret?.type === BOOTSTRAP_TOKEN_TYPE ? secret : undefined
  },
  plan: planTokenCleaning,
})

export function planTokenCleaning(secret: Secret, nowMs: number): Plan {
  const leftMs = bootstrapTokenEndMs(secret) - nowMs
  if (leftMs <= 0) return { actions: [deleteAction(secrets, secret)] }
  return { actions: [], ...(Number.isFinite(leftMs) && { requeueAfterMs: Math.min(leftMs, LOOK_AGAIN_MS_MAX) }) }
}
