/** Leases: who holds what, and until when. The heartbeats of nodes and the locks of leader election. */

import { type FieldError, FieldPath } from '../../machinery/meta/field-error.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { ageColumn, nameColumn, textColumn } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { nonNegative, positive } from '../field-rules.ts'
import type { Lease } from './types.gen.ts'

/** Where the heartbeats of nodes are, each under its node's name. */
export const NODE_LEASE_NAMESPACE = 'kube-node-lease'

export const leases = defineResource<Lease>({
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  resource: 'leases',
  scope: 'Namespaced',
  schema: builtinSchema('coordination.v1.Lease'),
  prepareForCreate: (object) => withoutElection(object, undefined),
  prepareForUpdate: withoutElection,
  validate: validateLease,
  createOnUpdate: true,
  unconditionalUpdate: false,
  columns: [nameColumn, textColumn('Holder', ({ spec }: Lease) => spec?.holderIdentity ?? ''), ageColumn],
})

/** Coordinated leader election is off: its fields are kept where they are, and not taken anew. */
function withoutElection(object: Lease, previous: Lease | undefined): Lease {
  if (!object.spec) return object
  const { strategy, preferredHolder, ...spec } = object.spec
  const before = previous?.spec
  return {
    ...object,
    spec: {
      ...spec,
      ...(before?.strategy === undefined || strategy === undefined ? {} : { strategy }),
      ...(before?.preferredHolder === undefined || preferredHolder === undefined ? {} : { preferredHolder }),
    },
  }
}

const specPath = new FieldPath('spec')

function validateLease({ spec }: Lease): readonly FieldError[] {
  const { leaseDurationSeconds, leaseTransitions } = spec ?? {}
  return [
    ...(leaseDurationSeconds === undefined
      ? []
      : positive(specPath.child('leaseDurationSeconds'), leaseDurationSeconds)),
    ...nonNegative(specPath.child('leaseTransitions'), leaseTransitions),
  ]
}
