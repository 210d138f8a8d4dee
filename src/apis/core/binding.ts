/** Bindings: which node a pod goes to. Written once, through the pod or on their own; never read. */

import { builtinSchema } from '../builtin-schema.ts'
import { defineResource } from '../define-resource.ts'
import { validateBinding } from './pod/validate-binding.ts'
import type { Binding } from './types.gen.ts'

export const bindings = defineResource<Binding>({
  group: '',
  version: 'v1',
  kind: 'Binding',
  resource: 'bindings',
  scope: 'Namespaced',
  schema: builtinSchema('core.v1.Binding'),
  verbs: ['create'],
  validate: validateBinding,
})
