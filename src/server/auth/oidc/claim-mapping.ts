/** Which user the claims of a token make, and whether the rules of the configuration take it. Words are upstream's. */

import { assert } from '../../../base/assert.ts'
import { setOwn } from '../../../base/deep-freeze.ts'
import { messageOf } from '../../../base/error-text.ts'
import type { Program } from '../../../machinery/cel/cel.ts'
import { type CelValue, ListValue } from '../../../machinery/cel/values.ts'
import type { UserInfo } from '../../../machinery/wire/message.ts'
import type { ClaimMappings, ClaimOrExpression, JwtAuthenticator, PrefixedClaim } from './configuration.ts'
import {
  type Compiled,
  compileClaimRule,
  compileMapping,
  compileUserRule,
  evaluateClaims,
  evaluateUser,
} from './expressions.ts'
import type { Claims } from './id-token.ts'

/** Throws why the claims make no user. */
export type ClaimMapping = (claims: Claims) => UserInfo

const CREDENTIAL_KEY = 'authentication.kubernetes.io/credential-id'

/** Of an authenticator in which `configurationErrors` finds nothing. */
export function claimMapping(authenticator: JwtAuthenticator): ClaimMapping {
  const { claimMappings = {} } = authenticator
  const nameOf = usernameOf(claimMappings.username ?? {})
  const groupsOf = groupsFrom(claimMappings.groups ?? {})
  const uidOf = uidFrom(claimMappings.uid ?? {})
  const extraOf = extraFrom(claimMappings.extra)
  const check = checksOf(authenticator)
  return (claims) => {
    const name = nameOf(claims)
    const groups = groupsOf(claims)
    const uid = uidOf(claims)
    const extra = extraOf(claims)
    const user = { name, groups, ...(uid !== '' && { uid }), ...(Object.keys(extra).length > 0 && { extra }) }
    check(claims, user)
    return user
  }
}

function programOf(compiled: Compiled): Program {
  assert('program' in compiled, 'the configuration was checked')
  return compiled.program
}

function claimOf(claims: Claims, name: string): unknown {
  return Object.hasOwn(claims, name) ? claims[name] : undefined
}

function textClaim(claims: Claims, name: string): string {
  const value = claimOf(claims, name)
  if (value === undefined) throw new Error('claim not present')
  if (typeof value !== 'string') throw new Error('the claim is no text')
  return value
}

/** Puts what is being done before what is wrong with it. */
function about<T>(doing: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw new Error(`oidc: ${doing}: ${messageOf(error)}`)
  }
}

function usernameOf({ claim = '', prefix, expression = '' }: PrefixedClaim): (claims: Claims) => string {
  if (expression !== '') {
    const program = programOf(compileMapping(expression))
    return (claims) => {
      const doing = 'error evaluating username claim expression'
      const value = about(doing, () => evaluateClaims(program, claims))
      if (typeof value !== 'string') throw new Error(`oidc: ${doing}: username claim expression must return a string`)
      if (value === '') throw new Error('oidc: empty username via CEL expression is not allowed')
      return value
    }
  }
  return (claims) => {
    const name = about(`parse username claims ${JSON.stringify(claim)}`, () => textClaim(claims, claim))
    if (name === '') throw new Error('oidc: empty username is not allowed')
    if (claim === 'email') checkMail(claimOf(claims, 'email_verified'))
    return `${prefix ?? ''}${name}`
  }
}

/** An address that the issuer says it has not verified is nobody's. */
function checkMail(verified: unknown): void {
  if (verified === undefined || verified === true) return
  throw new Error(
    verified === false ? 'oidc: email not verified' : "oidc: parse 'email_verified' claim: it is no boolean",
  )
}

function groupsFrom({ claim = '', prefix, expression = '' }: PrefixedClaim): (claims: Claims) => readonly string[] {
  if (expression !== '') {
    const program = programOf(compileMapping(expression))
    return (claims) => about('error evaluating group claim expression', () => textsOf(evaluateClaims(program, claims)))
  }
  return (claims) => {
    const value = claim === '' ? undefined : claimOf(claims, claim)
    const groups = about(`parse groups claim ${JSON.stringify(claim)}`, () => listOf(value))
    return groups.map((group) => `${prefix ?? ''}${group}`)
  }
}

/** One text is a list of one. */
function listOf(value: unknown): readonly string[] {
  const list = [value ?? []].flat()
  if (list.every((item) => typeof item === 'string')) return list
  throw new Error('the claim is neither a text nor a list of texts')
}

function uidFrom({ claim = '', expression = '' }: ClaimOrExpression): (claims: Claims) => string {
  if (claim !== '') return (claims) => about(`parse uid claim ${JSON.stringify(claim)}`, () => textClaim(claims, claim))
  if (expression === '') return () => ''
  const program = programOf(compileMapping(expression))
  return (claims) =>
    about('error evaluating uid claim expression', () => {
      const value = evaluateClaims(program, claims)
      if (typeof value === 'string') return value
      throw new Error('uid claim expression must return a string')
    })
}

type Extra = Readonly<Record<string, readonly string[]>>

function extraFrom(mappings: ClaimMappings['extra']): (claims: Claims) => Extra {
  const programs = (mappings ?? []).map(({ key = '', valueExpression = '' }) => ({
    key,
    program: programOf(compileMapping(valueExpression)),
  }))
  return (claims) => {
    const extra: Record<string, readonly string[]> = {}
    const id = claimOf(claims, 'jti')
    if (typeof id === 'string' && id !== '') extra[CREDENTIAL_KEY] = [`JTI=${id}`]
    for (const { key, program } of programs) {
      const value = evaluateClaims(program, claims)
      const values = about(`error evaluating extra claim expression: ${program.source}`, () => textsOf(value))
      if (values.length > 0) setOwn(extra, key, values)
    }
    return extra
  }
}

/** Empty texts count as absent. */
function textsOf(value: CelValue): readonly string[] {
  if (value === null || value === '') return []
  if (typeof value === 'string') return [value]
  const items = value instanceof ListValue ? Array.from({ length: value.length }, (_, at) => value.at(at)) : [undefined]
  const texts = items.filter((item) => typeof item === 'string')
  if (texts.length < items.length) throw new Error('expression must return a string or a list of strings')
  return texts.filter((text) => text !== '')
}

interface Rule {
  readonly program: Program
  readonly message: string
}

function checksOf(authenticator: JwtAuthenticator): (claims: Claims, user: UserInfo) => void {
  const rules = authenticator.claimValidationRules ?? []
  const required = rules.flatMap(({ claim = '', requiredValue = '' }) =>
    claim === '' ? [] : [{ claim, requiredValue }],
  )
  const claimRules: readonly Rule[] = rules.flatMap(({ expression = '', message = '' }) =>
    expression === '' ? [] : [{ program: programOf(compileClaimRule(expression)), message }],
  )
  const userRules: readonly Rule[] = (authenticator.userValidationRules ?? []).map(
    ({ expression = '', message = '' }) => ({ program: programOf(compileUserRule(expression)), message }),
  )
  return (claims, user) => {
    for (const { claim, requiredValue } of required) checkRequired(claims, claim, requiredValue)
    about('error evaluating claim validation expression', () => {
      for (const rule of claimRules) checkRule(rule, evaluateClaims(rule.program, claims))
    })
    about('error evaluating user info validation rule', () => {
      for (const rule of userRules) checkRule(rule, evaluateUser(rule.program, user))
    })
  }
}

function checkRequired(claims: Claims, claim: string, wanted: string): void {
  if (claimOf(claims, claim) === undefined) throw new Error(`oidc: required claim ${claim} not present in ID token`)
  const value = about(`parse claim ${claim}`, () => textClaim(claims, claim))
  if (value !== wanted)
    throw new Error(`oidc: required claim ${claim} value does not match. Got = ${value}, want = ${wanted}`)
}

function checkRule({ program, message }: Rule, value: CelValue): void {
  if (value === true) return
  if (value !== false) throw new Error('validation expression must return a boolean')
  throw new Error(`validation expression '${program.source}' failed: ${message}`)
}
