/** Callers without any proof: known as `system:anonymous`, and only where load balancers and probes look. */

import type { UserInfo } from '../../machinery/wire/message.ts'
import { ABSENT, type Authenticator } from './authenticator.ts'

const ANONYMOUS: UserInfo = { name: 'system:anonymous', groups: ['system:unauthenticated'] }

const OPEN_PATHS = ['/healthz', '/livez', '/readyz', '/version']

export const anonymous: Authenticator = {
  authenticate({ path }) {
    const open = OPEN_PATHS.some((root) => path === root || path.startsWith(`${root}/`))
    return open ? { outcome: 'user', user: ANONYMOUS } : ABSENT
  },
}
