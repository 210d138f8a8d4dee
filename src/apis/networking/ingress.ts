/** Ingresses: hosts and paths from outside the cluster, and the services behind them. */

import { byCodeUnit } from '../../base/group-by.ts'
import { type FieldError, FieldPath, invalidValue } from '../../machinery/meta/field-error.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { ageColumn, NONE, nameColumn, textColumn } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { ipWarnings } from '../field-rules.ts'
import { changedSpec, keepSpec, newSpec } from '../strategy-parts.ts'
import { ingressSpecErrors, ingressStatusErrors } from './ingress-rules.ts'
import type { Ingress, IngressRule, IngressStatus } from './types.gen.ts'

/** How ingresses said their class before there was a field for it. */
const CLASS_ANNOTATION = 'kubernetes.io/ingress.class'
/** Hosts that a row names. */
const HOSTS_SHOWN_MAX = 3

export const ingresses = defineResource<Ingress>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'Ingress',
  resource: 'ingresses',
  shortNames: ['ing'],
  scope: 'Namespaced',
  schema: builtinSchema('networking.v1.Ingress'),
  default: (object) => ({ ...object, spec: object.spec ?? {} }),
  prepareForCreate: newSpec,
  prepareForUpdate: changedSpec,
  validate: ({ spec }) => ingressSpecErrors(spec, new FieldPath('spec')),
  validateCreate: classErrors,
  warnings: (object, previous) => [...classWarnings(object, previous), ...addressWarnings(object, previous)],
  status: { prepareForUpdate: keepSpec, validateUpdate: ingressStatusErrors },
  resetFields: { '': [['status']], status: [['spec']] },
  columns: [
    nameColumn,
    textColumn('Class', ({ spec }: Ingress) => spec.ingressClassName ?? NONE),
    textColumn('Hosts', ({ spec }: Ingress) => hostsText(spec.rules ?? [])),
    textColumn('Address', ({ status }: Ingress) => addressText(status)),
    textColumn('Ports', ({ spec }: Ingress) => ((spec.tls ?? []).length > 0 ? '80, 443' : '80')),
    ageColumn,
  ],
})

/** The annotation says what the field says, where there are both. */
function classErrors({ metadata, spec }: Ingress): readonly FieldError[] {
  const annotated = metadata.annotations?.[CLASS_ANNOTATION]
  const { ingressClassName } = spec
  if (annotated === undefined || ingressClassName === undefined || annotated === ingressClassName) return []
  const path = new FieldPath('annotations').child(CLASS_ANNOTATION)
  return [invalidValue(path, annotated, 'must match `ingressClassName` when both are specified')]
}

function classWarnings({ metadata, spec }: Ingress, previous: Ingress | undefined): readonly string[] {
  const isAnnotated = metadata.annotations?.[CLASS_ANNOTATION] !== undefined
  if (previous || !isAnnotated || spec.ingressClassName !== undefined) return []
  return [`annotation "${CLASS_ANNOTATION}" is deprecated, please use 'spec.ingressClassName' instead`]
}

function addressWarnings({ status }: Ingress, previous: Ingress | undefined): readonly string[] {
  if (!previous || status === previous.status) return []
  const path = new FieldPath('status.loadBalancer.ingress')
  return (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }, index) => (ip ? ipWarnings(path.index(index), ip) : []))
}

function hostsText(rules: readonly IngressRule[]): string {
  const hosts = rules.flatMap(({ host }) => (host ? [host] : []))
  const shown = hosts.slice(0, HOSTS_SHOWN_MAX)
  if (shown.length === 0) return '*'
  const last = rules.findLastIndex(({ host }) => host === shown.at(-1))
  const isMore = shown.length === HOSTS_SHOWN_MAX && rules.length > last + 1
  return isMore ? `${shown.join(',')} + ${rules.length - HOSTS_SHOWN_MAX} more...` : shown.join(',')
}

function addressText(status: IngressStatus | undefined): string {
  const addresses = (status?.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }) => ip || hostname || [])
  return [...new Set(addresses)].sort(byCodeUnit).join(',')
}
