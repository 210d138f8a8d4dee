/**
 * Expressions of admission: what they may name (`object`, `request`, `params`, …), how they are compiled, and the
 * objects that mutations construct. Shared by policies, match conditions and the validation of both.
 */

import { type Compiled, compile, kubernetesEnvironment, type Program } from '../cel.ts'
import type { Library, ObjectDeclaration } from '../declarations.ts'
import type { Environment } from '../environment.ts'
import { costing, declare, overload } from '../library/declare.ts'
import {
  BOOL,
  type CelType,
  DYN,
  INT,
  listType,
  mapType,
  type ObjectType,
  objectType,
  STRING,
  sameType,
  TIMESTAMP,
  typeText,
} from '../types.ts'
import { type CelValue, ObjectValue, type Result } from '../values.ts'
import { AUTHORIZER, RESOURCE_CHECK } from './authorizer.ts'
import { perCharacter } from './costs.ts'

/** What one evaluation may cost: about a tenth of a second upstream. */
export const CALL_COST_MAX = 1_000_000

/** What all expressions of a policy, or of a custom resource, may cost for one object. */
export const REQUEST_COST_MAX = 10_000_000

/** What the match conditions of one webhook or policy may cost for one request. */
export const MATCH_CONDITIONS_COST_MAX = 2_500_000

function fieldsOf(name: string, fields: Readonly<Record<string, CelType>>): ObjectType {
  return objectType(name, (field) => {
    const type = Object.hasOwn(fields, field) ? fields[field] : undefined
    return type && { type }
  })
}

const KIND = fieldsOf('kubernetes.GroupVersionKind', { group: STRING, version: STRING, kind: STRING })
const RESOURCE = fieldsOf('kubernetes.GroupVersionResource', { group: STRING, version: STRING, resource: STRING })
const USER_INFO = fieldsOf('kubernetes.UserInfo', {
  username: STRING,
  uid: STRING,
  groups: listType(STRING),
  extra: mapType(STRING, listType(STRING)),
})

/** The type of `request`: an AdmissionRequest without uid and objects. */
export const REQUEST_TYPE = fieldsOf('kubernetes.AdmissionRequest', {
  kind: KIND,
  resource: RESOURCE,
  subResource: STRING,
  requestKind: KIND,
  requestResource: RESOURCE,
  requestSubResource: STRING,
  name: STRING,
  namespace: STRING,
  operation: STRING,
  userInfo: USER_INFO,
  dryRun: BOOL,
  options: DYN,
})

const CONDITION = fieldsOf('kubernetes.NamespaceCondition', {
  status: STRING,
  type: STRING,
  lastTransitionTime: TIMESTAMP,
  message: STRING,
  reason: STRING,
})

/** The type of `namespaceObject`: a Namespace without what says who manages it. */
export const NAMESPACE_TYPE = fieldsOf('kubernetes.Namespace', {
  metadata: fieldsOf('kubernetes.NamespaceMetadata', {
    name: STRING,
    generateName: STRING,
    namespace: STRING,
    labels: mapType(STRING, STRING),
    annotations: mapType(STRING, STRING),
    UID: STRING,
    creationTimestamp: TIMESTAMP,
    deletionGracePeriodSeconds: INT,
    deletionTimestamp: TIMESTAMP,
    generation: INT,
    resourceVersion: STRING,
    finalizers: listType(STRING),
  }),
  spec: fieldsOf('kubernetes.NamespaceSpec', { finalizers: listType(STRING) }),
  status: fieldsOf('kubernetes.NamespaceStatus', { conditions: listType(CONDITION), phase: STRING }),
})

export interface AdmissionNames {
  /** Whether `params` is there: the policy has a kind of parameters. */
  readonly hasParams?: boolean | undefined
  /** Whether `authorizer` and `authorizer.requestResource` are there. */
  readonly hasAuthorizer?: boolean | undefined
  /** Whether `Object{…}` and `JSONPatch{…}` may be constructed. */
  readonly hasPatchTypes?: boolean | undefined
  /** What `object` and `oldObject`, and `params`, are, where types are checked. Default: anything. */
  readonly objectType?: CelType | undefined
  readonly paramsType?: CelType | undefined
}

export function admissionEnvironment(names: AdmissionNames): Environment {
  const { hasParams, hasAuthorizer, hasPatchTypes, objectType: type = DYN, paramsType = DYN } = names
  const environment = kubernetesEnvironment({
    variables: {
      object: type,
      oldObject: type,
      request: REQUEST_TYPE,
      namespaceObject: NAMESPACE_TYPE,
      ...(hasParams ? { params: paramsType } : {}),
      ...(hasAuthorizer ? { authorizer: AUTHORIZER, 'authorizer.requestResource': RESOURCE_CHECK } : {}),
    },
  })
  return hasPatchTypes ? environment.extend({ libraries: [JSON_PATCH], findType: patchType }) : environment
}

/** `isInternal`: not the words are wrong but what they come to. Upstream calls that an internal error. */
export type CompiledExpression =
  | { readonly program: Program }
  | { readonly failure: string; readonly isInternal?: boolean | undefined }

/** A program of one of the types; `failure` says why there is none, as it stands in statuses. */
export function compileExpression(
  source: string,
  environment: Environment,
  returns?: readonly CelType[],
): CompiledExpression {
  const compiled: Compiled = compile(source, environment)
  if ('issues' in compiled) return { failure: `compilation failed: ${compiled.text}` }
  const { type, failure } = compiled.program
  if (returns === undefined || returns.some((wanted) => sameType(wanted, type))) {
    if (failure === undefined) return compiled
    return { failure: `program instantiation failed: ${failure}`, isInternal: true }
  }
  const [only] = returns
  if (returns.length === 1 && only !== undefined) {
    return { failure: `must evaluate to ${returnText(only)} but got ${returnText(type)}` }
  }
  return { failure: `must evaluate to one of [${returns.map(returnText).join(' ')}] but got ${returnText(type)}` }
}

function returnText(type: CelType): string {
  return type.kind === 'null_type' ? 'null_type' : typeText(type)
}

/** The type of `variables`: one field per variable that is known so far. */
export function variablesType(fields: ReadonlyMap<string, CelType>): ObjectType {
  return {
    kind: 'object',
    name: 'kubernetes.variables',
    field: (name) => {
      const type = fields.get(name)
      return type && { type }
    },
  }
}

/** An object that an expression constructed. */
export class ConstructedObject extends ObjectValue {
  readonly type: ObjectType
  readonly values: ReadonlyMap<string, CelValue>
  constructor(type: ObjectType, values: ReadonlyMap<string, CelValue>) {
    super()
    this.type = type
    this.values = values
  }
  get(field: string): CelValue | undefined {
    return this.values.get(field)
  }
  has(field: string): boolean {
    return this.values.has(field)
  }
  fields(): Iterable<string> {
    return this.values.keys()
  }
}

/** What an expression for an apply configuration makes. */
export const APPLY_CONFIGURATION = anyObject('Object')

const PATCH_FIELDS: Readonly<Record<string, CelType>> = { op: STRING, path: STRING, from: STRING, value: DYN }

/** One operation of a JSON patch. */
export const JSON_PATCH_OPERATION = fieldsOf('JSONPatch', PATCH_FIELDS)

function anyObject(name: string): ObjectType {
  return objectType(name, () => ({ type: DYN }))
}

/** `Object`, `Object.spec`, …: every name that spells a path, and `JSONPatch`. */
function patchType(name: string): ObjectDeclaration | undefined {
  if (name === 'JSONPatch') return constructible(JSON_PATCH_OPERATION)
  if (name === 'Object') return constructible(APPLY_CONFIGURATION)
  return name.startsWith('Object.') ? constructible(anyObject(name)) : undefined
}

function constructible(type: ObjectType): ObjectDeclaration {
  return { type, construct: (fields): Result => new ConstructedObject(type, fields) }
}

const JSON_PATCH: Library = {
  name: 'kubernetes.jsonpatch',
  functions: [
    declare(
      'jsonpatch.escapeKey',
      costing(perCharacter, [
        overload('string_jsonpatch_escapeKey_string', [STRING], STRING, (key: string) =>
          key.replaceAll('~', '~0').replaceAll('/', '~1'),
        ),
      ]),
    ),
  ],
}
