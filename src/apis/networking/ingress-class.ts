/** IngressClasses: which controller serves the ingresses that name the class, and with what parameters. */

import {
  type FieldError,
  FieldPath,
  forbidden,
  notSupported,
  required,
  tooLong,
} from '../../machinery/meta/field-error.ts'
import { byteLength } from '../../machinery/meta/names.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { ageColumn, NONE, nameColumn, textColumn } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { mapField, withAbsent } from '../field-defaults.ts'
import { dnsLabelErrors, dnsSubdomainErrors, domainPrefixedPathErrors } from '../field-rules.ts'
import { bumpGeneration, immutable, startGeneration } from '../strategy-parts.ts'
import { segmentErrors } from './ingress-rules.ts'
import type { IngressClass, IngressClassParametersReference } from './types.gen.ts'

const IS_DEFAULT = 'ingressclass.kubernetes.io/is-default-class'
const CONTROLLER_BYTES_MAX = 250
const SCOPES = ['Cluster', 'Namespace']

export const ingressClasses = defineResource<IngressClass>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IngressClass',
  resource: 'ingressclasses',
  scope: 'Cluster',
  schema: builtinSchema('networking.v1.IngressClass'),
  default: (object) => ({
    ...object,
    spec: mapField(object.spec ?? {}, 'parameters', (parameters) => withAbsent(parameters, { scope: 'Cluster' })),
  }),
  prepareForCreate: startGeneration,
  prepareForUpdate: (object, previous) => bumpGeneration(object, previous),
  validate: validateIngressClass,
  validateUpdate: (object, previous) => [
    ...immutable('spec.controller', object.spec.controller ?? '', previous.spec.controller ?? ''),
    ...validateIngressClass(object),
  ],
  ratchets: true,
  columns: [
    { ...nameColumn, value: nameText },
    textColumn('Controller', ({ spec }: IngressClass) => spec.controller ?? ''),
    textColumn('Parameters', ({ spec }: IngressClass) => parametersText(spec.parameters)),
    ageColumn,
  ],
})

function nameText({ metadata }: Pick<IngressClass, 'metadata'>): string {
  const { name = '', annotations } = metadata
  return annotations?.[IS_DEFAULT] === 'true' ? `${name} (default)` : name
}

/** `Kind.group/name` */
function parametersText(parameters: IngressClassParametersReference | undefined): string {
  if (!parameters) return NONE
  const { apiGroup, kind, name } = parameters
  return `${apiGroup === undefined ? kind : `${kind}.${apiGroup}`}/${name}`
}

const specPath = new FieldPath('spec')

function validateIngressClass({ spec }: IngressClass): readonly FieldError[] {
  const { controller = '', parameters } = spec
  const path = specPath.child('controller')
  return [
    ...(byteLength(controller) > CONTROLLER_BYTES_MAX ? [tooLong(path, CONTROLLER_BYTES_MAX)] : []),
    ...domainPrefixedPathErrors(path, controller),
    ...(parameters ? parametersErrors(parameters, specPath.child('parameters')) : []),
  ]
}

function parametersErrors(parameters: IngressClassParametersReference, path: FieldPath): readonly FieldError[] {
  const { apiGroup, kind, name, scope, namespace } = parameters
  return [
    ...(apiGroup === undefined ? [] : dnsSubdomainErrors(path.child('apiGroup'), apiGroup)),
    ...segmentErrors(kind, path.child('kind')),
    ...segmentErrors(name, path.child('name')),
    ...scopeErrors(scope, namespace, path),
  ]
}

function scopeErrors(scope: string | undefined, namespace: string | undefined, path: FieldPath): readonly FieldError[] {
  const namespacePath = path.child('namespace')
  if (scope === undefined) return [required(path.child('scope'))]
  if (!SCOPES.includes(scope)) return [notSupported(path.child('scope'), scope, SCOPES)]
  if (scope === 'Cluster')
    return namespace === undefined ? [] : [forbidden(namespacePath, "`parameters.scope` is set to 'Cluster'")]
  if (namespace === undefined) return [required(namespacePath, "`parameters.scope` is set to 'Namespace'")]
  return dnsLabelErrors(namespacePath, namespace)
}
