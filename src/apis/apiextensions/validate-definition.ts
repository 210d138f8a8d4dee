/** What a CustomResourceDefinition must satisfy besides its schemas (`validate-schema.ts`), in upstream's words. */

import { deepEqual } from '../../base/deep-equal.ts'
import { isConditionTrue } from '../../machinery/meta/conditions.ts'
import { type FieldError, FieldPath, invalidValue, notSupported, required } from '../../machinery/meta/field-error.ts'
import { isDns1035Label, isDns1123Subdomain } from '../../machinery/meta/names.ts'
import { immutable } from '../strategy-parts.ts'
import { approvalErrors } from './api-approval.ts'
import { NO_TOLERANCES, type SchemaTolerances, tolerancesOf } from './schema-tolerances.ts'
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionSpec,
  CustomResourceDefinitionVersion,
} from './types.gen.ts'
import { conversionErrors, hasKnownReviewVersion, isValidBundle } from './validate-conversion.ts'
import { schemaErrors } from './validate-schema.ts'
import {
  columnErrors,
  SELECTABLE_FIELDS_MAX,
  selectableFieldErrors,
  subresourceErrors,
} from './validate-version-parts.ts'

const SCOPES = ['Cluster', 'Namespaced']
const WARNING_LENGTH_MAX = 256

const specPath = new FieldPath('spec')

export function validateDefinition(object: CustomResourceDefinition): readonly FieldError[] {
  return [
    ...nameErrors(object),
    ...specErrors(object.spec, NO_TOLERANCES, { bundleIsChecked: false, reviewVersionIsChecked: true }),
    ...namesErrors(object.status?.acceptedNames, new FieldPath('status.acceptedNames')),
    ...storedVersionErrors(object),
    ...approvalErrors(object, undefined),
    ...preservationErrors(object, undefined),
  ]
}

export function validateDefinitionUpdate(
  object: CustomResourceDefinition,
  previous: CustomResourceDefinition,
): readonly FieldError[] {
  const established = isConditionTrue(previous.status?.conditions ?? [], 'Established')
  const conversion = previous.spec.conversion
  const bundle = conversion?.webhook?.clientConfig?.caBundle ?? ''
  const rules = {
    bundleIsChecked: established && (bundle === '' || isValidBundle(bundle)),
    reviewVersionIsChecked: hasKnownReviewVersion(conversion?.webhook?.conversionReviewVersions ?? []),
  }
  return [
    ...specErrors(object.spec, tolerancesOf(object.spec, previous.spec), rules),
    ...(established
      ? [
          ...immutable(specPath.child('scope'), object.spec.scope, previous.spec.scope),
          ...immutable(specPath.child('names', 'kind'), object.spec.names.kind, previous.spec.names.kind),
        ]
      : []),
    ...immutable(specPath.child('group'), object.spec.group, previous.spec.group),
    ...immutable(specPath.child('names', 'plural'), object.spec.names.plural, previous.spec.names.plural),
    ...namesErrors(object.status?.acceptedNames, new FieldPath('status.acceptedNames')),
    ...storedVersionErrors(object),
    ...approvalErrors(object, previous),
    ...preservationErrors(object, previous),
  ]
}

export function validateDefinitionStatus({ status }: CustomResourceDefinition): readonly FieldError[] {
  return namesErrors(status?.acceptedNames, new FieldPath('status.acceptedNames'))
}

function nameErrors({ metadata, spec }: CustomResourceDefinition): readonly FieldError[] {
  const { name = '' } = metadata
  if (name === `${spec.names.plural}.${spec.group}`) return []
  return [invalidValue(new FieldPath('metadata.name'), name, 'must be spec.names.plural+"."+spec.group')]
}

/** What is told apart between a new definition and an update of one. */
interface ConversionRules {
  readonly bundleIsChecked: boolean
  readonly reviewVersionIsChecked: boolean
}

function specErrors(
  spec: CustomResourceDefinitionSpec,
  tolerances: SchemaTolerances,
  rules: ConversionRules,
): readonly FieldError[] {
  return [
    ...groupErrors(spec.group),
    ...scopeErrors(spec.scope),
    ...missingSchemaErrors(spec, tolerances),
    ...(spec.versions ?? []).flatMap((version, index) => [
      ...versionErrors(version, specPath.child('versions').index(index)),
      ...versionPartErrors(version, spec, specPath.child('versions').index(index), tolerances),
    ]),
    ...versionListErrors(spec),
    ...requiredNames(spec.names),
    ...namesErrors(spec.names, specPath.child('names')),
    ...sharedPartErrors(spec, tolerances),
    ...conversionErrors(spec, rules),
  ]
}

function groupErrors(group = ''): readonly FieldError[] {
  const path = specPath.child('group')
  if (group === '') return [required(path)]
  const findings = isDns1123Subdomain(group)
  if (findings.length > 0) return [invalidValue(path, group, findings.join(','))]
  return group.includes('.') ? [] : [invalidValue(path, group, 'should be a domain with at least one dot')]
}

function scopeErrors(scope: string): readonly FieldError[] {
  const path = specPath.child('scope')
  if (scope === '') return [required(path)]
  return SCOPES.includes(scope) ? [] : [notSupported(path, scope, SCOPES)]
}

/** Every version has a schema, and where an old one has none, at least what is served. */
function missingSchemaErrors(
  { versions, preserveUnknownFields }: CustomResourceDefinitionSpec,
  { withoutSchemas }: SchemaTolerances,
): readonly FieldError[] {
  return (versions ?? []).flatMap(({ schema, served }, index) => {
    if (schema?.openAPIV3Schema !== undefined) return []
    const path = specPath.child('versions').index(index).child('schema', 'openAPIV3Schema')
    if (!withoutSchemas) return [required(path)]
    return served && !preserveUnknownFields ? [required(path, 'because otherwise all fields are pruned')] : []
  })
}

function versionErrors(version: CustomResourceDefinitionVersion, path: FieldPath): readonly FieldError[] {
  const { name } = version
  const findings = isDns1035Label(name)
  return [
    ...(findings.length > 0 ? [invalidValue(path.child('name'), name, findings.join(','))] : []),
    ...warningErrors(version, path.child('deprecationWarning')),
  ]
}

/** What versions have in common stands beside them in the form that upstream validates, and is found there. */
const SHARED = ['schema', 'subresources', 'additionalPrinterColumns', 'selectableFields'] as const
type Shared = (typeof SHARED)[number]

function isShared(versions: CustomResourceDefinitionSpec['versions'], part: Shared): boolean {
  const [first, ...others] = versions
  const value = first?.[part]
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return false
  return others.every((version) => deepEqual(version[part], value))
}

function versionPartErrors(
  version: CustomResourceDefinitionVersion,
  { versions }: CustomResourceDefinitionSpec,
  path: FieldPath,
  tolerances: SchemaTolerances,
): readonly FieldError[] {
  const own = SHARED.filter((part) => !isShared(versions, part))
  return own.flatMap((part) => partErrors(version, part, path.child(part), tolerances))
}

function sharedPartErrors(spec: CustomResourceDefinitionSpec, tolerances: SchemaTolerances): readonly FieldError[] {
  const versions = spec.versions ?? []
  const [first] = versions
  if (first === undefined) return []
  const hasStatus = versions.some(({ subresources }) => subresources?.status !== undefined)
  const version = hasStatus ? { ...first, subresources: { status: {}, ...first.subresources } } : first
  return SHARED.filter((part) => isShared(versions, part)).flatMap((part) =>
    partErrors(version, part, specPath.child(part === 'schema' ? 'validation' : part), tolerances),
  )
}

function partErrors(
  version: CustomResourceDefinitionVersion,
  part: Shared,
  path: FieldPath,
  tolerances: SchemaTolerances,
): readonly FieldError[] {
  const { name, schema, subresources, additionalPrinterColumns: columns = [], selectableFields = [] } = version
  const tooMany = tolerances.manySelectableFields.has(name) ? Infinity : SELECTABLE_FIELDS_MAX
  switch (part) {
    case 'schema': {
      const hasStatus = subresources?.status !== undefined
      const written = schema?.openAPIV3Schema
      return written === undefined
        ? []
        : schemaErrors(written, path.child('openAPIV3Schema'), { hasStatus, version: name, tolerances })
    }
    case 'subresources':
      return subresourceErrors(subresources, path)
    case 'additionalPrinterColumns':
      return columns.flatMap((column, index) => columnErrors(column, path.index(index)))
    case 'selectableFields':
      return selectableFieldErrors(selectableFields, schema?.openAPIV3Schema, path, tooMany)
  }
}

function warningErrors(
  { deprecated, deprecationWarning: text }: CustomResourceDefinitionVersion,
  path: FieldPath,
): readonly FieldError[] {
  if (text === undefined) return []
  if (!deprecated) return [invalidValue(path, text, 'can only be set for deprecated versions')]
  const errors: FieldError[] = []
  if (Buffer.byteLength(text) > WARNING_LENGTH_MAX)
    errors.push(invalidValue(path, text, `must be <= ${WARNING_LENGTH_MAX} characters long`))
  if (text === '') errors.push(invalidValue(path, text, 'must not be an empty string'))
  const hidden = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.exec(text)
  if (hidden !== null) {
    const at = Buffer.byteLength(text.slice(0, hidden.index))
    const detail = 'must only contain printable UTF-8 characters; non-printable character found at index'
    errors.push(invalidValue(path, text, `${detail} ${at}`))
  }
  return errors
}

function versionListErrors(spec: CustomResourceDefinitionSpec): readonly FieldError[] {
  const versions = spec.versions ?? []
  const path = specPath.child('versions')
  const names = versions.map(({ name }) => name)
  return [
    ...(new Set(names).size < names.length ? [invalidValue(path, versions, 'must contain unique version names')] : []),
    ...(versions.filter(({ storage }) => storage).length === 1
      ? []
      : [invalidValue(path, versions, 'must have exactly one version marked as storage version')]),
    ...oldVersionErrors(names[0] ?? ''),
  ]
}

/** Upstream still knows the field that named the only version, as a copy of the first name. */
function oldVersionErrors(name: string): readonly FieldError[] {
  const findings = name === '' ? [] : isDns1035Label(name)
  return findings.length === 0 ? [] : [invalidValue(specPath.child('version'), name, findings.join(','))]
}

function requiredNames({ plural, singular, kind, listKind }: CustomResourceDefinitionNames): readonly FieldError[] {
  return Object.entries({ plural, singular, kind, listKind }).flatMap(([name, value]) =>
    value ? [] : [required(specPath.child('names', name))],
  )
}

function namesErrors(names: CustomResourceDefinitionNames | undefined, path: FieldPath): readonly FieldError[] {
  const { plural = '', singular = '', kind = '', listKind = '', shortNames = [], categories = [] } = names ?? {}
  const label = (place: FieldPath, value: string): readonly FieldError[] => {
    const findings = isDns1035Label(value)
    return findings.length === 0 ? [] : [invalidValue(place, value, findings.join(','))]
  }
  const mixedCase = (place: FieldPath, value: string): readonly FieldError[] => {
    const findings = value === '' ? [] : isDns1035Label(value.toLowerCase())
    if (findings.length === 0) return []
    return [invalidValue(place, value, `may have mixed case, but should otherwise match: ${findings.join(',')}`)]
  }
  return [
    ...(plural === '' ? [] : label(path.child('plural'), plural)),
    ...(singular === '' ? [] : label(path.child('singular'), singular)),
    ...mixedCase(path.child('kind'), kind),
    ...mixedCase(path.child('listKind'), listKind),
    ...shortNames.flatMap((name, index) => label(path.child('shortNames').index(index), name)),
    ...(kind !== '' && kind === listKind
      ? [invalidValue(path.child('listKind'), listKind, 'kind and listKind may not be the same')]
      : []),
    ...categories.flatMap((name, index) => label(path.child('categories').index(index), name)),
  ]
}

/** A version that objects may be stored in does not vanish from the spec. */
function storedVersionErrors({ spec, status }: CustomResourceDefinition): readonly FieldError[] {
  const path = new FieldPath('status.storedVersions')
  const stored = status?.storedVersions ?? []
  if (stored.length === 0) return [invalidValue(path, stored, 'must have at least one stored version')]
  const versions = spec.versions ?? []
  const names = versions.map(({ name }) => name)
  // Each name counts once, so that of two versions with one name the second is missing.
  const unstored = versions.filter(
    ({ storage, name }, index) => storage && (!stored.includes(name) || names.indexOf(name) < index),
  )
  const gone = stored.flatMap((name, index) => {
    if (versions.some((version) => version.name === name)) return []
    const detail =
      `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a ` +
      `storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`
    return [invalidValue(path.index(index), name, detail)]
  })
  return [...unstored.map(({ name }) => invalidValue(path, stored, `must have the storage version ${name}`)), ...gone]
}

function preservationErrors(
  { spec }: CustomResourceDefinition,
  previous: CustomResourceDefinition | undefined,
): readonly FieldError[] {
  if (!spec.preserveUnknownFields || previous?.spec.preserveUnknownFields) return []
  const detail =
    'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead'
  return [invalidValue(specPath.child('preserveUnknownFields'), true, detail)]
}
