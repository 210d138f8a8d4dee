/** Which node speaks: users `system:node:<name>` of the group `system:nodes`. */

import type { UserInfo } from '../../../machinery/wire/message.ts'

const USER_PREFIX = 'system:node:'
const NODES_GROUP = 'system:nodes'

/** Undefined: not a node. The name may be empty. */
export function nodeNameOf({ name, groups }: UserInfo): string | undefined {
  return name.startsWith(USER_PREFIX) && groups.includes(NODES_GROUP) ? name.slice(USER_PREFIX.length) : undefined
}
