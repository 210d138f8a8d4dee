/** Callers without any proof: known as `system:anonymous`, and only where load balancers and probes look. */

import type { ApiRequest, UserInfo } from '../../machinery/wire/message.ts'
import { ABSENT, type Authenticator } from './authenticator.ts'

const ANONYMOUS: UserInfo = { name: 'system:anonymous', groups: ['system:unauthenticated'] }

const OPEN_PATHS = ['/healthz', '/livez', '/readyz', '/version']

/** What nobody has configured. */
export const anonymous = anonymousWhere(({ path }) =>
  OPEN_PATHS.some((root) => path === root || path.startsWith(`${root}/`)),
)

/** At these paths and not below them; everywhere, when there are none. What they may do there, roles say. */
export function anonymousAt(paths: readonly string[]): Authenticator {
  return anonymousWhere(({ path }) => paths.length === 0 || paths.includes(path))
}

function anonymousWhere(isOpen: (request: ApiRequest) => boolean): Authenticator {
  return { authenticate: (request) => (isOpen(request) ? { outcome: 'user', user: ANONYMOUS } : ABSENT) }
}
