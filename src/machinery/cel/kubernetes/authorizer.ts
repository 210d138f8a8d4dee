/**
 * `authorizer.group('apps').resource('deployments').namespace('default').check('create').allowed()`: questions to
 * the cluster's authorizer. Who answers is passed in with the variable; an answer that must be waited for is an
 * error here, see the caller that evaluates again once it has come.
 */

import { nameIsDns1123Label, nameIsDns1123Subdomain } from '../../meta/names.ts'
import type { Library } from '../declarations.ts'
import { COST_PER_CHARACTER, LIST_COST, OBJECT_COST, sizeForCost } from '../evaluate/actual-cost.ts'
import { costing, declare, member } from '../library/declare.ts'
import { BOOL, opaqueType, STRING } from '../types.ts'
import { CelError, type CelValue, OpaqueValue, type Result } from '../values.ts'
import { nominal } from './costs.ts'

export const AUTHORIZER = opaqueType('kubernetes.authorization.Authorizer')
const PATH_CHECK = opaqueType('kubernetes.authorization.PathCheck')
const GROUP_CHECK = opaqueType('kubernetes.authorization.GroupCheck')
export const RESOURCE_CHECK = opaqueType('kubernetes.authorization.ResourceCheck')
const DECISION = opaqueType('kubernetes.authorization.Decision')

/** A question: may someone do this? The one who asks is the request's user, or a service account. */
export interface AuthorizationQuestion {
  readonly verb: string
  /** The service account that is asked about; absent: the request's user. */
  readonly serviceAccount?: { readonly namespace: string; readonly name: string } | undefined
  /** Set for URLs that are no resources; the rest is then empty. */
  readonly path?: string | undefined
  readonly group: string
  readonly resource: string
  readonly subresource: string
  readonly namespace: string
  readonly name: string
  readonly fieldSelector: string
  readonly labelSelector: string
}

export interface AuthorizationAnswer {
  readonly allowed: boolean
  readonly reason: string
  /** Why there is no proper answer. */
  readonly error?: string | undefined
}

/** Answers at once, or with an error that stands for "ask again later". */
export type AskAuthorizer = (question: AuthorizationQuestion) => AuthorizationAnswer | CelError

const BLANK: Omit<AuthorizationQuestion, 'verb'> = {
  group: '',
  resource: '',
  subresource: '',
  namespace: '',
  name: '',
  fieldSelector: '',
  labelSelector: '',
}

/** One link of the chain: the question as far as it is put. */
class Check extends OpaqueValue {
  readonly type: typeof AUTHORIZER
  readonly ask: AskAuthorizer
  readonly question: Omit<AuthorizationQuestion, 'verb'>
  constructor(type: typeof AUTHORIZER, ask: AskAuthorizer, question: Omit<AuthorizationQuestion, 'verb'>) {
    super()
    this.type = type
    this.ask = ask
    this.question = question
  }
  equals(other: OpaqueValue): boolean {
    return this === other
  }
  /** The same question with more in it. */
  with(type: typeof AUTHORIZER, part: Partial<AuthorizationQuestion>): Check {
    return new Check(type, this.ask, { ...this.question, ...part })
  }
}

class Decision extends OpaqueValue {
  readonly type = DECISION
  readonly answer: AuthorizationAnswer
  constructor(answer: AuthorizationAnswer) {
    super()
    this.answer = answer
  }
  equals(other: OpaqueValue): boolean {
    return this === other
  }
}

/** The value of the variable `authorizer`. */
export function authorizerValue(ask: AskAuthorizer): CelValue {
  return new Check(AUTHORIZER, ask, BLANK)
}

/** The value of `authorizer.requestResource`: the question about the request's own resource. */
export function resourceCheckValue(ask: AskAuthorizer, resource: Partial<AuthorizationQuestion>): CelValue {
  return new Check(RESOURCE_CHECK, ask, { ...BLANK, ...resource })
}

function decide({ ask, question }: Check, verb: string): Result {
  const answer = ask({ ...question, verb })
  return answer instanceof CelError ? answer : new Decision(answer)
}

function pathCheck(check: Check, path: string): Result {
  return path.trim() === '' ? new CelError('path must not be empty') : check.with(PATH_CHECK, { path })
}

function resourceCheck(check: Check, resource: string): Result {
  if (resource.trim() === '') return new CelError('resource must not be empty')
  return check.with(RESOURCE_CHECK, { resource })
}

function serviceAccount(check: Check, namespace: string, name: string): Result {
  if (nameIsDns1123Subdomain(name, false).length > 0) return new CelError('Invalid service account name')
  if (nameIsDns1123Label(namespace, false).length > 0) return new CelError('Invalid service account namespace')
  return check.with(AUTHORIZER, { serviceAccount: { namespace, name } })
}

/** Two checks fit into what one expression may cost. */
const CHECK_COST = 350_000

/** The shortest selector with one requirement has two characters. */
const REQUIREMENTS_PER_CHARACTER = 0.5

function parsingSelector([, selector]: readonly CelValue[]): number {
  const length = sizeForCost(selector)
  const requirements = Math.ceil(length * REQUIREMENTS_PER_CHARACTER) * (LIST_COST + OBJECT_COST)
  return LIST_COST + Math.ceil(length * COST_PER_CHARACTER) + requirements
}

type Part = 'subresource' | 'namespace' | 'name' | 'fieldSelector' | 'labelSelector'

const setter = (part: Part, id: string, cost: (values: readonly CelValue[]) => number = nominal) =>
  declare(
    part,
    costing(cost, [
      member(id, [RESOURCE_CHECK, STRING], RESOURCE_CHECK, (check: Check, text: string) =>
        check.with(RESOURCE_CHECK, { [part]: text }),
      ),
    ]),
  )

const reader = (name: string, type: typeof BOOL, read: (answer: AuthorizationAnswer) => CelValue) =>
  declare(
    name,
    costing(nominal, [member(`decision_${name}`, [DECISION], type, ({ answer }: Decision) => read(answer))]),
  )

export const AUTHORIZATION: Library = {
  name: 'kubernetes.authz',
  functions: [
    declare('path', costing(nominal, [member('authorizer_path', [AUTHORIZER, STRING], PATH_CHECK, pathCheck)])),
    declare(
      'group',
      costing(nominal, [
        member('authorizer_group', [AUTHORIZER, STRING], GROUP_CHECK, (check: Check, group: string) =>
          check.with(GROUP_CHECK, { group }),
        ),
      ]),
    ),
    declare(
      'serviceAccount',
      costing(nominal, [member('authorizer_serviceaccount', [AUTHORIZER, STRING, STRING], AUTHORIZER, serviceAccount)]),
    ),
    declare(
      'resource',
      costing(nominal, [member('groupcheck_resource', [GROUP_CHECK, STRING], RESOURCE_CHECK, resourceCheck)]),
    ),
    setter('subresource', 'resourcecheck_subresource'),
    setter('namespace', 'resourcecheck_namespace'),
    setter('name', 'resourcecheck_name'),
    setter('fieldSelector', 'authorizer_fieldselector', parsingSelector),
    setter('labelSelector', 'authorizer_labelselector', parsingSelector),
    declare(
      'check',
      costing(
        () => CHECK_COST,
        [
          member('pathcheck_check', [PATH_CHECK, STRING], DECISION, decide),
          member('resourcecheck_check', [RESOURCE_CHECK, STRING], DECISION, decide),
        ],
      ),
    ),
    reader('errored', BOOL, ({ error }) => error !== undefined),
    reader('error', STRING, ({ error }) => error ?? ''),
    reader('allowed', BOOL, ({ allowed }) => allowed),
    reader('reason', STRING, ({ reason }) => reason),
  ],
}
