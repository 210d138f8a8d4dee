/** Whether a policy's expressions fit the types of the resources it is about: what its status warns of. Pure. */

import type {
  ExpressionWarning,
  NamedRuleWithOperations,
  ValidatingAdmissionPolicy,
} from '../../apis/admissionregistration/types.gen.ts'
import { byCodeUnit } from '../../base/group-by.ts'
import { compile } from '../../machinery/cel/cel.ts'
import type { Environment } from '../../machinery/cel/environment.ts'
import { admissionEnvironment, variablesType } from '../../machinery/cel/kubernetes/admission.ts'
import { type CelType, DYN } from '../../machinery/cel/types.ts'
import { parseApiVersion } from '../../machinery/meta/group-version.ts'
import { declaredType } from '../../machinery/schema/cel-type.ts'
import type { Schema } from '../../machinery/schema/schema.ts'

/** A kind that is served, under the resource that serves it. */
export interface KnownKind {
  readonly group: string
  readonly version: string
  readonly resource: string
  readonly kind: string
  readonly schema: Schema
}

/** What kinds there are: asked only for what policies name. */
export interface KnownKinds {
  ofResource(group: string, version: string, resource: string): KnownKind | undefined
  ofKind(group: string, version: string, kind: string): KnownKind | undefined
}

/** Kinds that are looked at for one rule; a policy may name very many. */
const KINDS_MAX = 10

export function typeWarnings({ spec }: ValidatingAdmissionPolicy, known: KnownKinds): readonly ExpressionWarning[] {
  const { validations = [], variables = [], matchConstraints, paramKind } = spec
  const kinds = kindsOf(matchConstraints?.resourceRules ?? [], known)
  const { group = '', version = '' } = parseApiVersion(paramKind?.apiVersion ?? '') ?? {}
  const params = paramKind && known.ofKind(group, version, paramKind.kind ?? '')
  const environments = kinds.map((kind) => {
    const environment = admissionEnvironment({
      hasParams: paramKind !== undefined,
      hasAuthorizer: true,
      objectType: typeOf(kind),
      paramsType: params && typeOf(params),
    })
    return { kind, environment: withVariables(environment, variables) }
  })
  const warningOf = (fieldRef: string, expression: string): readonly ExpressionWarning[] => {
    const texts = environments.flatMap(({ kind, environment }) => {
      const compiled = compile(expression, environment)
      return 'issues' in compiled ? [`${kindText(kind)}: ${compiled.text}\n`] : []
    })
    return texts.length === 0 ? [] : [{ fieldRef, warning: texts.join('\n') }]
  }
  return validations.flatMap(({ expression = '', messageExpression = '' }, index) => {
    const field = `spec.validations[${index}]`
    const message = messageExpression === '' ? [] : warningOf(`${field}.messageExpression`, messageExpression)
    return [...warningOf(`${field}.expression`, expression), ...message]
  })
}

function typeOf({ schema, kind }: KnownKind): CelType {
  // Custom resources may say nothing of their metadata.
  const isIncomplete = schema.properties?.metadata?.properties === undefined
  return declaredType(schema, kind, isIncomplete)?.type ?? DYN
}

function kindText({ group, version, kind }: KnownKind): string {
  return `${group}/${version}, Kind=${kind}`
}

/** Variables are of the type that their expressions come to, as far as those fit. */
function withVariables(
  environment: Environment,
  variables: readonly { readonly name?: string; readonly expression?: string }[],
): Environment {
  const types = new Map<string, CelType>()
  const extended = environment.extend({ variables: { variables: variablesType(types) } })
  for (const { name = '', expression = '' } of variables) {
    const compiled = compile(expression, extended)
    const type = 'issues' in compiled ? DYN : compiled.program.type
    types.set(name, type.kind === 'object' || type.kind === 'opaque' ? DYN : type)
  }
  return extended
}

/** The kinds that rules name, without those they mean by a star. */
function kindsOf(rules: readonly NamedRuleWithOperations[], known: KnownKinds): readonly KnownKind[] {
  const kinds = new Set(rules.flatMap((rule) => kindsOfRule(rule, known)))
  const textOf = ({ group, version, kind }: KnownKind) => `${group}\u0000${version}\u0000${kind}`
  return [...kinds].sort((left, right) => byCodeUnit(textOf(left), textOf(right)))
}

function kindsOfRule(rule: NamedRuleWithOperations, known: KnownKinds): readonly KnownKind[] {
  const { apiGroups = [], apiVersions = [], resources = [] } = rule
  if ([...apiGroups, ...apiVersions].some((name) => name.includes('*'))) return []
  const named = resources.filter((resource) => !/[*/]/.test(resource)).sort(byCodeUnit)
  const kinds: KnownKind[] = []
  for (const group of apiGroups.toSorted(byCodeUnit)) {
    for (const version of apiVersions.toSorted(byCodeUnit)) {
      for (const resource of named) {
        const kind = known.ofResource(group, version, resource)
        if (kind !== undefined) kinds.push(kind)
        if (kinds.length === KINDS_MAX) return kinds
      }
    }
  }
  return kinds
}
