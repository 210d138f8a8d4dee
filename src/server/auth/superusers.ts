/** Members of `system:masters` may do everything, whatever the roles say: nobody can lock the cluster's owner out. */

import type { UserInfo } from '../../machinery/wire/message.ts'
import { ALLOWED, type Authorizer, NO_OPINION } from './authorizer.ts'

const SUPERUSERS_GROUP = 'system:masters'

export const superusers: Authorizer = {
  authorize: ({ user }) => (isSuperuser(user) ? ALLOWED : NO_OPINION),
}

export function isSuperuser(user: UserInfo): boolean {
  return user.groups.includes(SUPERUSERS_GROUP)
}
