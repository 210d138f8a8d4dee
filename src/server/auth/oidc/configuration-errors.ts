/** What is wrong with an AuthenticationConfiguration, with upstream's paths and words. */

import { X509Certificate } from 'node:crypto'
import { domainPrefixedPathErrors } from '../../../apis/field-rules.ts'
import type { Program } from '../../../machinery/cel/cel.ts'
import {
  duplicate,
  type FieldError,
  type FieldPath,
  invalidValue,
  required,
  rootPath,
  tooMany,
} from '../../../machinery/meta/field-error.ts'
import type {
  AuthenticationConfiguration,
  ClaimMappings,
  ClaimOrExpression,
  ClaimValidationRule,
  ExtraMapping,
  Issuer,
  JwtAuthenticator,
  PrefixedClaim,
  UserValidationRule,
} from './configuration.ts'
import { type Compiled, compileClaimRule, compileMapping, compileUserRule, readsClaim } from './expressions.ts'

const ISSUERS_MAX = 64
const BOTH = "claim and expression can't both be set"
const NEITHER = 'claim or expression is required'

/** `disallowedIssuers`: those whose tokens this server issues itself. */
export function configurationErrors(
  { jwt, anonymous }: AuthenticationConfiguration,
  disallowedIssuers: readonly string[],
): readonly FieldError[] {
  const path = rootPath.child('jwt')
  const authenticators = jwt ?? []
  if (authenticators.length > ISSUERS_MAX) return [tooMany(path, authenticators.length, ISSUERS_MAX)]
  const seen = { urls: new Set<string>(), discoveryUrls: new Set<string>() }
  const errors = authenticators.flatMap((authenticator, index) => [
    ...authenticatorErrors(authenticator, path.index(index), disallowedIssuers),
    ...repeatedIssuer(authenticator.issuer, path.index(index).child('issuer'), seen),
  ])
  const conditions = anonymous?.conditions ?? []
  if (!anonymous || anonymous.enabled || conditions.length === 0) return errors
  const detail = 'enabled should be set to true when conditions are defined'
  return [...errors, invalidValue(rootPath.child('anonymous', 'conditions'), conditions, detail)]
}

function repeatedIssuer(
  { url = '', discoveryURL }: Issuer = {},
  path: FieldPath,
  seen: { readonly urls: Set<string>; readonly discoveryUrls: Set<string> },
): readonly FieldError[] {
  const errors: FieldError[] = []
  if (seen.urls.has(url)) errors.push(duplicate(path.child('url'), url))
  seen.urls.add(url)
  if (!discoveryURL) return errors
  if (seen.discoveryUrls.has(discoveryURL)) errors.push(duplicate(path.child('discoveryURL'), discoveryURL))
  seen.discoveryUrls.add(discoveryURL)
  return errors
}

/** Which of the claims around mail addresses the expressions read. */
interface MailClaims {
  email: boolean
  emailVerified: boolean
}

function authenticatorErrors(
  { issuer = {}, claimValidationRules, claimMappings = {}, userValidationRules }: JwtAuthenticator,
  path: FieldPath,
  disallowed: readonly string[],
): readonly FieldError[] {
  const mail: MailClaims = { email: false, emailVerified: false }
  return [
    ...issuerErrors(issuer, path.child('issuer'), disallowed),
    ...claimRuleErrors(claimValidationRules ?? [], path.child('claimValidationRules'), mail),
    ...mappingErrors(claimMappings, path.child('claimMappings'), mail),
    ...userRuleErrors(userValidationRules ?? [], path.child('userValidationRules')),
  ]
}

function issuerErrors(issuer: Issuer, path: FieldPath, disallowed: readonly string[]): readonly FieldError[] {
  const { url = '', discoveryURL, certificateAuthority = '', egressSelectorType = '' } = issuer
  const egress = path.child('egressSelectorType')
  return [
    ...(url === '' ? [required(path.child('url'))] : urlErrors(url, path.child('url'), disallowed)),
    ...(discoveryURL ? discoveryErrors(url, discoveryURL, path.child('discoveryURL')) : []),
    ...audienceErrors(issuer, path),
    ...certificateErrors(certificateAuthority, path.child('certificateAuthority')),
    ...(egressSelectorType === ''
      ? []
      : [invalidValue(egress, egressSelectorType, 'egress selector is not supported')]),
  ]
}

function discoveryErrors(url: string, discoveryUrl: string, path: FieldPath): readonly FieldError[] {
  const [left, right] = [url, discoveryUrl].map((text) => text.replace(/\/+$/, ''))
  const isSame = url !== '' && left === right
  return [
    ...(isSame ? [invalidValue(path, discoveryUrl, 'discoveryURL must be different from URL')] : []),
    ...urlErrors(discoveryUrl, path, []),
  ]
}

function urlErrors(url: string, path: FieldPath, disallowed: readonly string[]): readonly FieldError[] {
  const list = [...disallowed].sort()
  const overlap = `URL must not overlap with disallowed issuers: [${list.join(' ')}]`
  const details = disallowed.includes(url) ? [overlap] : []
  const isHttps = /^https:\/\//i.test(url)
  if (!isHttps) details.push('URL scheme must be https')
  const parsed = URL.parse(url)
  if (isHttps && !parsed) details.push('URL cannot be parsed')
  if (parsed && (parsed.username !== '' || parsed.password !== ''))
    details.push('URL must not contain a username or password')
  if (parsed && parsed.search !== '') details.push('URL must not contain a query')
  if (parsed && parsed.hash !== '') details.push('URL must not contain a fragment')
  return details.map((detail) => invalidValue(path, url, detail))
}

const MATCH_ANY = 'MatchAny'

function audienceErrors(
  { audiences, audienceMatchPolicy: policy = '' }: Issuer,
  issuer: FieldPath,
): readonly FieldError[] {
  const path = issuer.child('audiences')
  const list = audiences ?? []
  if (list.length === 0) return [required(path, `at least one ${path.text} is required`)]
  const errors = list.flatMap((audience, index) => [
    ...(audience === '' ? [required(path.index(index))] : []),
    ...(list.indexOf(audience) < index ? [duplicate(path.index(index), audience)] : []),
  ])
  const policyPath = issuer.child('audienceMatchPolicy')
  if (policy === MATCH_ANY || (policy === '' && list.length === 1)) return errors
  const wanted = list.length > 1 ? 'MatchAny for multiple audiences' : 'empty or MatchAny for single audience'
  return [...errors, invalidValue(policyPath, policy, `audienceMatchPolicy must be ${wanted}`)]
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g

function certificateErrors(pem: string, path: FieldPath): readonly FieldError[] {
  if (pem === '') return []
  try {
    const found = (pem.match(CERTIFICATE) ?? []).map((text) => new X509Certificate(text))
    if (found.length > 0) return []
    return [invalidValue(path, '<omitted>', 'data does not contain any valid RSA or ECDSA certificates')]
  } catch {
    return [invalidValue(path, '<omitted>', 'a certificate cannot be read')]
  }
}

/** The program, or why there is none, which goes to `errors`. */
function programOf(result: Compiled, source: string, path: FieldPath, errors: FieldError[]): Program | undefined {
  if ('program' in result) return result.program
  errors.push(invalidValue(path, source, result.failure))
  return undefined
}

function claimRuleErrors(
  rules: readonly ClaimValidationRule[],
  list: FieldPath,
  mail: MailClaims,
): readonly FieldError[] {
  const errors: FieldError[] = []
  const seen = new Set<string>()
  for (const [index, rule] of rules.entries()) {
    const { claim = '', requiredValue = '', expression = '', message = '' } = rule
    const path = list.index(index)
    const key = JSON.stringify([claim, expression])
    const isRepeated = seen.has(key)
    seen.add(key)
    if (claim !== '' && expression !== '') errors.push(invalidValue(path, claim, BOTH))
    else if (claim === '' && expression === '') errors.push(required(path, NEITHER))
    else if (claim !== '') {
      const detail = 'may not be specified when claim is set'
      if (message !== '') errors.push(invalidValue(path.child('message'), message, detail))
      if (isRepeated) errors.push(duplicate(path.child('claim'), claim))
    } else {
      const detail = 'may not be specified when expression is set'
      if (requiredValue !== '') errors.push(invalidValue(path.child('requiredValue'), requiredValue, detail))
      const at = path.child('expression')
      if (isRepeated) errors.push(duplicate(at, expression))
      else noteVerified(programOf(compileClaimRule(expression), expression, at, errors), mail)
    }
  }
  return errors
}

function noteVerified(program: Program | undefined, mail: MailClaims): void {
  if (program && readsClaim(program, 'email_verified')) mail.emailVerified = true
}

function mappingErrors(mappings: ClaimMappings, path: FieldPath, mail: MailClaims): readonly FieldError[] {
  const { username = {}, groups = {}, uid = {}, extra } = mappings
  const errors: FieldError[] = []
  const name = prefixedProgram(username, path.child('username'), errors)
  if (name && readsClaim(name, 'email')) mail.email = true
  noteVerified(name, mail)
  if (isEmpty(username)) errors.push(required(path.child('username'), NEITHER))
  prefixedProgram(groups, path.child('groups'), errors)
  uidErrors(uid, path.child('uid'), errors)
  extraErrors(extra ?? [], path.child('extra'), errors, mail)
  if (mail.email && !mail.emailVerified)
    errors.push(invalidValue(path.child('username', 'expression'), username.expression ?? '', UNVERIFIED_MAIL))
  return errors
}

const UNVERIFIED_MAIL =
  'claims.email_verified must be used in claimMappings.username.expression or ' +
  'claimMappings.extra[*].valueExpression or claimValidationRules[*].expression ' +
  'when claims.email is used in claimMappings.username.expression'

function isEmpty({ claim = '', expression = '' }: ClaimOrExpression): boolean {
  return claim === '' && expression === ''
}

function prefixedProgram(mapping: PrefixedClaim, path: FieldPath, errors: FieldError[]): Program | undefined {
  const { claim = '', expression = '', prefix } = mapping
  const hasPrefix = prefix !== undefined && prefix !== null
  if (claim !== '' && expression !== '') errors.push(invalidValue(path, '', BOTH))
  else if (claim !== '') {
    const detail = 'prefix is required when claim is set. It can be set to an empty string to disable prefixing'
    if (!hasPrefix) errors.push(required(path.child('prefix'), detail))
  } else if (expression !== '') {
    const detail = 'may not be specified when expression is set'
    if (hasPrefix) errors.push(invalidValue(path.child('prefix'), prefix, detail))
    return programOf(compileMapping(expression), expression, path.child('expression'), errors)
  }
  return undefined
}

function uidErrors({ claim = '', expression = '' }: ClaimOrExpression, path: FieldPath, errors: FieldError[]): void {
  if (claim !== '' && expression !== '') errors.push(invalidValue(path, '', BOTH))
  else if (expression !== '') programOf(compileMapping(expression), expression, path.child('expression'), errors)
}

function extraErrors(mappings: readonly ExtraMapping[], list: FieldPath, errors: FieldError[], mail: MailClaims): void {
  const seen = new Set<string>()
  for (const [index, { key = '', valueExpression = '' }] of mappings.entries()) {
    const keyPath = list.index(index).child('key')
    errors.push(...domainPrefixedPathErrors(keyPath, key))
    if (key !== key.toLowerCase()) errors.push(invalidValue(keyPath, key, 'must be lowercase'))
    if (isReserved(key)) errors.push(invalidValue(keyPath, key, RESERVED_KEY))
    if (seen.has(key)) {
      errors.push(duplicate(keyPath, key))
      continue
    }
    seen.add(key)
    const path = list.index(index).child('valueExpression')
    if (valueExpression === '') errors.push(required(path))
    else noteVerified(programOf(compileMapping(valueExpression), valueExpression, path, errors), mail)
  }
}

const RESERVED_KEY = 'k8s.io, kubernetes.io and their subdomains are reserved for Kubernetes use'

function isReserved(key: string): boolean {
  const domain = key.includes('/') ? key.slice(0, key.indexOf('/')) : ''
  return ['k8s.io', 'kubernetes.io'].some((reserved) => domain === reserved || domain.endsWith(`.${reserved}`))
}

function userRuleErrors(rules: readonly UserValidationRule[], list: FieldPath): readonly FieldError[] {
  const errors: FieldError[] = []
  const seen = new Set<string>()
  for (const [index, { expression = '' }] of rules.entries()) {
    const path = list.index(index).child('expression')
    if (expression === '') errors.push(required(path))
    else if (seen.has(expression)) errors.push(duplicate(path, expression))
    else programOf(compileUserRule(expression), expression, path, errors)
    seen.add(expression)
  }
  return errors
}
