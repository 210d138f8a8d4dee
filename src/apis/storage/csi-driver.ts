/** CSIDrivers: what the cluster must know of a storage driver before it talks to it. */

import { deepEqual } from '../../base/deep-equal.ts'
import {
  duplicate,
  type FieldError,
  FieldPath,
  invalidValue,
  notSupported,
  required,
} from '../../machinery/meta/field-error.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { ageColumn, NONE, nameColumn, textColumn } from '../columns.ts'
import { UNSET } from '../core/volume-rules.ts'
import { defineResource } from '../define-resource.ts'
import type { Column } from '../definition.ts'
import { withAbsent } from '../field-defaults.ts'
import { bumpGeneration, immutable } from '../strategy-parts.ts'
import type { CSIDriver, CSIDriverSpec, TokenRequest } from './types.gen.ts'

const GROUP_POLICIES = ['File', 'None', 'ReadWriteOnceWithFSType']
const LIFECYCLE_MODES = ['Persistent', 'Ephemeral']
const UPDATE_PERIOD_SECONDS_MIN = 10
const TOKEN_SECONDS_MIN = 600
const TOKEN_SECONDS_MAX = 2 ** 32

export const csiDrivers = defineResource<CSIDriver>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIDriver',
  resource: 'csidrivers',
  scope: 'Cluster',
  schema: builtinSchema('storage.v1.CSIDriver'),
  default: (object) => ({ ...object, spec: defaultSpec(object.spec ?? {}) }),
  prepareForCreate: (object) => withoutAlphaFields(object),
  prepareForUpdate: (object, previous) => bumpGeneration(withoutAlphaFields(object, previous), previous),
  validate: validateDriver,
  validateUpdate: ({ spec }, previous) => [
    ...immutable('spec.attachedRequired', spec.attachRequired, previous.spec.attachRequired),
    ...immutable('spec.volumeLifecycleModes', spec.volumeLifecycleModes, previous.spec.volumeLifecycleModes),
  ],
  warnings: driverWarnings,
  unconditionalUpdate: false,
  deletion: { returns: 'object' },
  columns: [
    nameColumn,
    flagColumn('AttachRequired', ({ attachRequired }) => attachRequired ?? true),
    flagColumn('PodInfoOnMount', ({ podInfoOnMount }) => podInfoOnMount ?? false),
    flagColumn('StorageCapacity', ({ storageCapacity }) => storageCapacity ?? false),
    textColumn('TokenRequests', ({ spec }: CSIDriver) =>
      spec.tokenRequests ? spec.tokenRequests.map(({ audience }) => audience).join(',') : UNSET,
    ),
    flagColumn('RequiresRepublish', ({ requiresRepublish }) => requiresRepublish ?? false),
    textColumn('Modes', ({ spec }: CSIDriver) => (spec.volumeLifecycleModes ?? []).join(',') || NONE),
    ageColumn,
  ],
})

/** What only clusters with a feature have that is off by default; where it is there, it stays. */
function withoutAlphaFields(object: CSIDriver, previous?: CSIDriver): CSIDriver {
  if (previous?.spec.preventPodSchedulingIfMissing !== undefined) return object
  const { preventPodSchedulingIfMissing: _, ...spec } = object.spec
  return { ...object, spec }
}

function flagColumn(name: string, flag: (spec: CSIDriverSpec) => boolean): Column<CSIDriver> {
  return { name, type: 'boolean', value: ({ spec }) => flag(spec) }
}

function defaultSpec(spec: CSIDriverSpec): CSIDriverSpec {
  const filled = withAbsent(spec, {
    attachRequired: true,
    podInfoOnMount: false,
    storageCapacity: false,
    fsGroupPolicy: 'ReadWriteOnceWithFSType',
    requiresRepublish: false,
    seLinuxMount: false,
  })
  return (spec.volumeLifecycleModes ?? []).length > 0 ? filled : { ...filled, volumeLifecycleModes: ['Persistent'] }
}

const specPath = new FieldPath('spec')

/** Upstream calls `attachRequired` so in its messages, too. */
const DEMANDED = [
  ['attachRequired', 'attachedRequired'],
  ['podInfoOnMount', 'podInfoOnMount'],
  ['storageCapacity', 'storageCapacity'],
] as const

function validateDriver({ spec }: CSIDriver): readonly FieldError[] {
  const { fsGroupPolicy, tokenRequests = [], volumeLifecycleModes = [], seLinuxMount } = spec
  const { nodeAllocatableUpdatePeriodSeconds: period, serviceAccountTokenInSecrets } = spec
  const errors: FieldError[] = DEMANDED.flatMap(([field, name]) =>
    spec[field] === undefined ? [required(specPath.child(name))] : [],
  )
  if (fsGroupPolicy !== undefined && !GROUP_POLICIES.includes(fsGroupPolicy))
    errors.push(notSupported(specPath.child('fsGroupPolicy'), fsGroupPolicy, GROUP_POLICIES))
  errors.push(...tokenRequestErrors(tokenRequests, specPath.child('tokenRequests')))
  for (const mode of volumeLifecycleModes) {
    if (!LIFECYCLE_MODES.includes(mode))
      errors.push(notSupported(specPath.child('volumeLifecycleModes'), mode, LIFECYCLE_MODES))
  }
  if (seLinuxMount === undefined) errors.push(required(specPath.child('seLinuxMount')))
  if (period !== undefined && period < UPDATE_PERIOD_SECONDS_MIN) {
    const path = specPath.child('nodeAllocatableUpdatePeriodSeconds')
    errors.push(invalidValue(path, period, `must be greater than or equal to ${UPDATE_PERIOD_SECONDS_MIN} seconds`))
  }
  if (serviceAccountTokenInSecrets !== undefined && tokenRequests.length === 0) {
    const path = specPath.child('serviceAccountTokenInSecrets')
    const detail = 'serviceAccountTokenInSecrets is set but no tokenRequests are specified'
    errors.push(invalidValue(path, serviceAccountTokenInSecrets, detail))
  }
  return errors
}

function tokenRequestErrors(requests: readonly TokenRequest[], path: FieldPath): readonly FieldError[] {
  const audiences = requests.map(({ audience = '' }) => audience)
  return requests.flatMap(({ audience = '', expirationSeconds: seconds }, index) => {
    const place = path.index(index)
    if (audiences.indexOf(audience) < index) return [duplicate(place.child('audience'), audience)]
    const secondsPath = place.child('expirationSeconds')
    if (seconds !== undefined && seconds < TOKEN_SECONDS_MIN)
      return [invalidValue(secondsPath, seconds, 'may not specify a duration less than 10 minutes')]
    if (seconds !== undefined && seconds > TOKEN_SECONDS_MAX)
      return [invalidValue(secondsPath, seconds, 'may not specify a duration larger than 2^32 seconds')]
    return []
  })
}

function driverWarnings({ spec }: CSIDriver, previous: CSIDriver | undefined): readonly string[] {
  const { tokenRequests = [], serviceAccountTokenInSecrets } = spec
  const isSame = previous && deepEqual(previous.spec.tokenRequests, spec.tokenRequests)
  if (isSame || tokenRequests.length === 0 || serviceAccountTokenInSecrets !== undefined) return []
  const advice =
    'if supported by this CSI driver, set to true to prevent possible logging of tokens in volume attributes'
  return [`spec.serviceAccountTokenInSecrets is unset; ${advice}`]
}
