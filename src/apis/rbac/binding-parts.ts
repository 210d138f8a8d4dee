/** What RoleBindings and ClusterRoleBindings share: defaults, subjects, the role that never changes, columns. */

import { deepEqual } from '../../base/deep-equal.ts'
import { type FieldError, FieldPath, invalidValue, notSupported, required } from '../../machinery/meta/field-error.ts'
import { isDns1123Subdomain, isPathSegmentName } from '../../machinery/meta/names.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import { ageColumn, nameColumn, textColumn, wideColumn } from '../columns.ts'
import type { Column } from '../definition.ts'
import { mapField, mapItems, withZero } from '../field-defaults.ts'
import { findingErrors } from '../field-rules.ts'
import { RBAC_GROUP } from './policy-rule.ts'
import type { RoleRef, Subject } from './types.gen.ts'

/** A stored one has its role; what clients send may lack it. */
interface Binding extends KubeObject {
  readonly roleRef?: RoleRef | undefined
  readonly subjects?: readonly Subject[] | undefined
}

export function defaultBinding<T extends Binding>(binding: T): T {
  const named = mapField<Binding, 'roleRef'>(binding, 'roleRef', (role) => withZero(role, { apiGroup: RBAC_GROUP }))
  const complete = mapField(named, 'subjects', (subjects) => mapItems(subjects, defaultSubject))
  return complete === binding ? binding : { ...binding, ...complete }
}

function defaultSubject(subject: Subject): Subject {
  return subject.kind === 'User' || subject.kind === 'Group' ? withZero(subject, { apiGroup: RBAC_GROUP }) : subject
}

const rolePath = new FieldPath('roleRef')

export function bindingErrors(
  { roleRef, subjects }: Binding,
  roleKinds: readonly string[],
  namespaced: boolean,
): readonly FieldError[] {
  const { apiGroup = '', kind = '', name = '' } = roleRef ?? {}
  const path = new FieldPath('subjects')
  return [
    ...(apiGroup === RBAC_GROUP ? [] : [notSupported(rolePath.child('apiGroup'), apiGroup, [RBAC_GROUP])]),
    ...(roleKinds.includes(kind) ? [] : [notSupported(rolePath.child('kind'), kind, roleKinds)]),
    ...(name === ''
      ? [required(rolePath.child('name'))]
      : findingErrors(rolePath.child('name'), name, isPathSegmentName(name))),
    ...(subjects ?? []).flatMap((subject, index) => subjectErrors(subject, path.index(index), namespaced)),
  ]
}

const SUBJECT_KINDS = ['ServiceAccount', 'User', 'Group']

function subjectErrors(subject: Subject, path: FieldPath, namespaced: boolean): readonly FieldError[] {
  const { kind = '', name = '', apiGroup = '', namespace = '' } = subject
  const errors: FieldError[] = name === '' ? [required(path.child('name'))] : []
  if (kind === 'ServiceAccount') {
    if (name !== '') errors.push(...findingErrors(path.child('name'), name, isDns1123Subdomain(name)))
    if (apiGroup !== '') errors.push(notSupported(path.child('apiGroup'), apiGroup, ['']))
    if (!namespaced && namespace === '') errors.push(required(path.child('namespace')))
  } else if (kind === 'User' || kind === 'Group') {
    if (apiGroup !== RBAC_GROUP) errors.push(notSupported(path.child('apiGroup'), apiGroup, [RBAC_GROUP]))
  } else errors.push(notSupported(path.child('kind'), kind, SUBJECT_KINDS))
  return errors
}

/** A binding that could be turned to another role would give its subjects rights that nobody looked at. */
export function roleChangeErrors({ roleRef }: Binding, previous: Binding): readonly FieldError[] {
  if (deepEqual(roleRef, previous.roleRef)) return []
  const { apiGroup, kind, name } = roleRef ?? {}
  // Upstream prints the fields as its own code calls them.
  return [invalidValue(rolePath, { APIGroup: apiGroup, Kind: kind, Name: name }, 'cannot change roleRef')]
}

export const bindingColumns: readonly Column<Binding>[] = [
  nameColumn,
  textColumn('Role', ({ roleRef }: Binding) => `${roleRef?.kind ?? ''}/${roleRef?.name ?? ''}`),
  ageColumn,
  wideColumn('Users', (binding: Binding) => subjectsText(binding, 'User', ({ name }) => name)),
  wideColumn('Groups', (binding: Binding) => subjectsText(binding, 'Group', ({ name }) => name)),
  wideColumn('ServiceAccounts', (binding: Binding) =>
    subjectsText(binding, 'ServiceAccount', ({ namespace = '', name }) => `${namespace}/${name}`),
  ),
]

function subjectsText({ subjects = [] }: Binding, kind: string, text: (subject: Subject) => string): string {
  return subjects
    .filter((subject) => subject.kind === kind)
    .map(text)
    .join(', ')
}
