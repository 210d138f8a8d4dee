/** Bootstrap tokens: whoever bears one is `system:bootstrap:<id>`, and may do what its groups are given. */

import {
  BOOTSTRAP_TOKEN_NAMESPACE,
  bootstrapTokenEndMs,
  bootstrapTokenName,
  bootstrapTokenOf,
  parseBootstrapBearer,
} from '../../../apis/core/bootstrap-token.ts'
import type { Secret } from '../../../apis/core/types.gen.ts'
import type { Clock } from '../../../base/clock.ts'
import type { ObjectKey } from '../../../machinery/meta/object.ts'
import type { UserInfo } from '../../../machinery/wire/message.ts'
import { isSame } from '../same.ts'

const USER_PREFIX = 'system:bootstrap:'

export interface BootstrapTokenParts {
  readonly clock: Clock
  secret(key: ObjectKey): Secret | undefined
}

/** What is wrong with a token is nobody's business: such a token is unknown. */
export function bootstrapTokens({ clock, secret }: BootstrapTokenParts): (bearer: string) => UserInfo | undefined {
  return (bearer) => {
    const given = parseBootstrapBearer(bearer)
    const found = given && secret({ namespace: BOOTSTRAP_TOKEN_NAMESPACE, name: bootstrapTokenName(given.id) })
    if (!given || !found || found.metadata.deletionTimestamp) return undefined
    const token = bootstrapTokenOf(found)
    if (!token?.authenticates || !token.groups || !isSame(token.secret, given.secret)) return undefined
    if (bootstrapTokenEndMs(found) <= clock.now()) return undefined
    return { name: `${USER_PREFIX}${token.id}`, groups: token.groups }
  }
}
