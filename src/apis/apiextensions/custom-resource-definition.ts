/**
 * CustomResourceDefinitions: resources that users bring. What serving one means is the server's
 * (`server/extensions`); here is what the object itself must satisfy and how it is written.
 */

import { setCondition } from '../../machinery/meta/conditions.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { createdAtColumn, nameColumn } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { bumpGeneration, keepSpec, keepStatus, startGeneration } from '../strategy-parts.ts'
import { WEBHOOK_PORT } from '../webhook-address.ts'
import { formatWarnings } from './format-warnings.ts'
import type {
  CustomResourceConversion,
  CustomResourceDefinition,
  CustomResourceDefinitionCondition,
  CustomResourceDefinitionSpec,
} from './types.gen.ts'
import { validateDefinition, validateDefinitionStatus, validateDefinitionUpdate } from './validate-definition.ts'

/** Keeps a deleted definition until its objects are gone. */
export const CLEANUP_FINALIZER = 'customresourcecleanup.apiextensions.k8s.io'

export const customResourceDefinitions = defineResource<CustomResourceDefinition>({
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  resource: 'customresourcedefinitions',
  shortNames: ['crd', 'crds'],
  categories: ['api-extensions'],
  scope: 'Cluster',
  schema: builtinSchema('apiextensions.v1.CustomResourceDefinition'),
  default: (object) => withStoredVersions({ ...object, spec: defaultSpec(object.spec) }, { onlyWhenNone: true }),
  prepareForCreate: (object) => withStoredVersions(startGeneration({ ...object, status: undefined })),
  prepareForUpdate: (object, previous) =>
    withStoredVersions(bumpGeneration(keepStatus(object, previous), previous, ['spec'])),
  validate: validateDefinition,
  validateUpdate: validateDefinitionUpdate,
  warnings: formatWarnings,
  ratchets: true,
  unconditionalUpdate: false,
  deletion: { isHeld: ({ metadata }) => !metadata.deletionTimestamp, markDeleting },
  status: { prepareForUpdate: keepSpec, validateUpdate: validateDefinitionStatus },
  resetFields: { '': [['status']], status: [['spec']] },
  columns: [nameColumn, createdAtColumn],
})

/** The version that objects are stored in. */
export function storageVersionOf({ versions }: Pick<CustomResourceDefinitionSpec, 'versions'>): string {
  return (versions ?? []).find(({ storage }) => storage)?.name ?? ''
}

/** The definition with a condition in place of the one of its type. */
export function withDefinitionCondition(
  object: CustomResourceDefinition,
  condition: CustomResourceDefinitionCondition,
  nowText: string,
): CustomResourceDefinition {
  const conditions = setCondition(object.status?.conditions ?? [], condition, nowText)
  return { ...object, status: { ...object.status, conditions } }
}

function defaultSpec(spec: CustomResourceDefinitionSpec | undefined): CustomResourceDefinitionSpec {
  const { names, conversion, ...rest } = spec ?? { group: '', names: { kind: '', plural: '' }, scope: '', versions: [] }
  const { kind = '', singular = '', listKind = '' } = names ?? {}
  return {
    ...rest,
    names: {
      ...names,
      plural: names?.plural ?? '',
      kind,
      singular: singular === '' ? kind.toLowerCase() : singular,
      ...(listKind === '' && kind !== '' ? { listKind: `${kind}List` } : {}),
    },
    conversion: defaultConversion(conversion),
  }
}

function defaultConversion(conversion: CustomResourceConversion | undefined): CustomResourceConversion {
  const { webhook } = conversion ?? {}
  const service = webhook?.clientConfig?.service
  if (!conversion) return { strategy: 'None' }
  if (!service || service.port !== undefined) return conversion
  const clientConfig = { ...webhook.clientConfig, service: { ...service, port: WEBHOOK_PORT } }
  return { ...conversion, webhook: { ...webhook, clientConfig } }
}

/** The storage version has been stored in from now on. */
function withStoredVersions(object: CustomResourceDefinition, { onlyWhenNone = false } = {}): CustomResourceDefinition {
  const storage = object.spec.versions?.find((version) => version.storage)?.name
  const known = object.status?.storedVersions ?? []
  if (storage === undefined || known.includes(storage) || (onlyWhenNone && known.length > 0)) return object
  return { ...object, status: { ...object.status, storedVersions: [...known, storage] } }
}

/** The cleanup of the objects begins; the definition waits for it. */
function markDeleting(object: CustomResourceDefinition): CustomResourceDefinition {
  const { finalizers = [], deletionTimestamp } = object.metadata
  const marked = finalizers.includes(CLEANUP_FINALIZER)
    ? object
    : { ...object, metadata: { ...object.metadata, finalizers: [...finalizers, CLEANUP_FINALIZER] } }
  const condition = {
    type: 'Terminating',
    status: 'True',
    reason: 'InstanceDeletionPending',
    message: 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon',
  }
  return withDefinitionCondition(marked, condition, deletionTimestamp ?? '')
}
