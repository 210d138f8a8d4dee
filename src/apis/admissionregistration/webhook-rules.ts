/** What mutating and validating webhooks have in common: their defaults and what is wrong with them. */

import {
  duplicate,
  type FieldError,
  FieldPath,
  invalidValue,
  notSupported,
  required,
} from '../../machinery/meta/field-error.ts'
import { validateLabelSelector } from '../../machinery/meta/labels.ts'
import { isDns1035Label, isDns1123Subdomain } from '../../machinery/meta/names.ts'
import { mapField, withAbsent } from '../field-defaults.ts'
import { findingErrors } from '../field-rules.ts'
import { WEBHOOK_PORT, webhookServiceErrors, webhookUrlErrors } from '../webhook-address.ts'
import { matchConditionsErrors } from './match-conditions.ts'
import { FAILURE_POLICIES, MATCH_POLICIES } from './match-resources.ts'
import { defaultRules, ruleErrors } from './rules.ts'
import type { ServiceReference, ValidatingWebhook, WebhookClientConfig } from './types.gen.ts'

const TIMEOUT_SECONDS = 10
const TIMEOUT_SECONDS_MAX = 30
const SIDE_EFFECTS = ['None', 'NoneOnDryRun']
/** Versions of AdmissionReview that upstream's servers have spoken. */
const REVIEW_VERSIONS = ['v1', 'v1beta1']

export function defaultWebhook<T extends ValidatingWebhook>(webhook: T): T {
  const defaults: Partial<ValidatingWebhook> = {
    failurePolicy: 'Fail',
    matchPolicy: 'Equivalent',
    namespaceSelector: {},
    objectSelector: {},
    timeoutSeconds: TIMEOUT_SECONDS,
  }
  const port: Partial<ServiceReference> = { port: WEBHOOK_PORT }
  const withPort = mapField<ValidatingWebhook, 'clientConfig'>(webhook, 'clientConfig', (config) =>
    mapField(config, 'service', (service) => withAbsent(service, port)),
  )
  // The moves above change fields that every kind of webhook has, and keep the others.
  return withAbsent(mapField(withPort, 'rules', defaultRules), defaults) as T
}

/** `ofKind` finds what is wrong with the fields that only this kind of webhook has. */
export function webhooksErrors<T extends ValidatingWebhook>(
  webhooks: readonly T[] | undefined = [],
  ofKind: (path: FieldPath, webhook: T) => readonly FieldError[] = () => [],
): readonly FieldError[] {
  const names = webhooks.map(({ name }) => name)
  return webhooks.flatMap((webhook, index) => {
    const path = new FieldPath('webhooks').index(index)
    return [
      ...webhookErrors(path, webhook),
      ...ofKind(path, webhook),
      ...reviewVersionErrors(path.child('admissionReviewVersions'), webhook.admissionReviewVersions ?? []),
      ...(webhook.name && names.indexOf(webhook.name) < index ? [duplicate(path.child('name'), webhook.name)] : []),
    ]
  })
}

function webhookErrors(path: FieldPath, webhook: ValidatingWebhook): readonly FieldError[] {
  const { failurePolicy, matchPolicy, sideEffects, timeoutSeconds: timeout = TIMEOUT_SECONDS } = webhook
  const choice = (field: string, value: string | undefined, choices: readonly string[]): readonly FieldError[] =>
    value === undefined || choices.includes(value) ? [] : [notSupported(path.child(field), value, choices)]
  return [
    ...qualifiedWebhookNameErrors(path.child('name'), webhook.name ?? ''),
    ...(webhook.rules ?? []).flatMap((rule, index) => ruleErrors(path.child('rules').index(index), rule)),
    ...choice('failurePolicy', failurePolicy, FAILURE_POLICIES),
    ...choice('matchPolicy', matchPolicy, MATCH_POLICIES),
    ...(sideEffects === undefined || sideEffects === null
      ? [required(path.child('sideEffects'), `must specify one of ${SIDE_EFFECTS.join(', ')}`)]
      : choice('sideEffects', sideEffects, SIDE_EFFECTS)),
    ...(timeout > TIMEOUT_SECONDS_MAX || timeout < 1
      ? [invalidValue(path.child('timeoutSeconds'), timeout, 'the timeout value must be between 1 and 30 seconds')]
      : []),
    ...validateLabelSelector(webhook.namespaceSelector, path.child('namespaceSelector')),
    ...validateLabelSelector(webhook.objectSelector, path.child('objectSelector')),
    ...clientConfigErrors(path.child('clientConfig'), webhook.clientConfig ?? {}),
    ...matchConditionsErrors(path.child('matchConditions'), webhook.matchConditions),
  ]
}

function qualifiedWebhookNameErrors(path: FieldPath, name: string): readonly FieldError[] {
  if (name === '') return [required(path)]
  const findings = isDns1123Subdomain(name)
  if (findings.length > 0) return [invalidValue(path, name, findings.join(','))]
  if (name.split('.').length >= 3) return []
  return [invalidValue(path, name, 'should be a domain with at least three segments separated by dots')]
}

function clientConfigErrors(path: FieldPath, { url, service }: WebhookClientConfig): readonly FieldError[] {
  if (url !== undefined && service === undefined) return webhookUrlErrors(path.child('url'), url)
  if (service !== undefined && url === undefined) return webhookServiceErrors(path.child('service'), service)
  return [required(path, 'exactly one of url or service is required')]
}

function reviewVersionErrors(path: FieldPath, versions: readonly string[]): readonly FieldError[] {
  const accepted = REVIEW_VERSIONS.join(', ')
  if (versions.length === 0) return [required(path, `must specify one of ${accepted}`)]
  return [
    ...versions.flatMap((version, index) =>
      versions.indexOf(version) < index
        ? [invalidValue(path.index(index), version, 'duplicate version')]
        : findingErrors(path.index(index), version, isDns1035Label(version)),
    ),
    ...(versions.some((version) => REVIEW_VERSIONS.includes(version))
      ? []
      : [invalidValue(path, versions, `must include at least one of ${accepted}`)]),
  ]
}
