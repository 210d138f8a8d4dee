/** Evictions: a wish that a pod goes, granted as far as disruption budgets allow. A pod's subresource, not a resource. */

import { builtinSchema } from '../builtin-schema.ts'

export type { Eviction } from './types.gen.ts'

export const evictionSchema = builtinSchema('policy.v1.Eviction')
