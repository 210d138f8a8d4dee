/** Who may do what, for those parts of the server that ask for more rights than the request itself takes. */

import type { Authorizer } from './authorizer.ts'
import type { RoleRights } from './rbac/rbac-authorizer.ts'
import { superusers } from './superusers.ts'

export interface Authorization {
  readonly authorizer: Authorizer
  readonly roles: RoleRights
}

/** Where there are no roles. */
export const onlySuperusers: Authorization = {
  authorizer: superusers,
  roles: { rightsOf: async () => ({ rules: [], errors: [] }), rulesOfRole: async () => undefined },
}
