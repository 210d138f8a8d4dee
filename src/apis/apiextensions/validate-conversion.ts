/** How objects are converted between versions: by nothing but their apiVersion, or by a webhook. */

import { X509Certificate } from 'node:crypto'
import {
  type FieldError,
  FieldPath,
  forbidden,
  invalidValue,
  notSupported,
  required,
} from '../../machinery/meta/field-error.ts'
import { isDns1035Label } from '../../machinery/meta/names.ts'
import { webhookServiceErrors, webhookUrlErrors } from '../webhook-address.ts'
import type { CustomResourceDefinitionSpec, WebhookClientConfig, WebhookConversion } from './types.gen.ts'

const STRATEGIES = ['None', 'Webhook']
/** Versions of ConversionReview that upstream's servers have spoken. */
const REVIEW_VERSIONS = ['v1', 'v1beta1']

const path = new FieldPath('spec.conversion')
// Upstream validates the internal form, where the webhook's parts stand side by side.
const configPath = path.child('webhookClientConfig')
const versionsPath = path.child('conversionReviewVersions')

export function conversionErrors(
  { conversion, preserveUnknownFields }: CustomResourceDefinitionSpec,
  rules: { readonly bundleIsChecked: boolean; readonly reviewVersionIsChecked: boolean },
): readonly FieldError[] {
  const { strategy = '', webhook } = conversion ?? {}
  if (strategy === '') return [required(path.child('strategy'))]
  if (!STRATEGIES.includes(strategy)) return [notSupported(path.child('strategy'), strategy, STRATEGIES)]
  if (strategy === 'None') return webhook === undefined ? [] : surplusErrors(webhook)
  return [
    ...(preserveUnknownFields
      ? [invalidValue(path.child('strategy'), strategy, 'must be None if spec.preserveUnknownFields is true')]
      : []),
    ...configErrors(webhook?.clientConfig, rules.bundleIsChecked),
    ...reviewVersionErrors(webhook?.conversionReviewVersions ?? [], rules.reviewVersionIsChecked),
  ]
}

/** An old definition may keep a list without a version that this server speaks. */
export function hasKnownReviewVersion(versions: readonly string[]): boolean {
  return versions.length === 0 || versions.some((version) => REVIEW_VERSIONS.includes(version))
}

/** `bundle` is base64 of PEM certificates; an empty one is valid: the system's authorities are asked. */
export function isValidBundle(bundle: string): boolean {
  const pem = Buffer.from(bundle, 'base64').toString()
  if (pem === '') return true
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []
  return blocks.length > 0 && blocks.every(isCertificate)
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0
  } catch {
    return false
  }
}

function surplusErrors({ clientConfig, conversionReviewVersions }: WebhookConversion): readonly FieldError[] {
  const detail = 'should not be set when strategy is not set to Webhook'
  return [
    ...(clientConfig === undefined ? [] : [forbidden(configPath, detail)]),
    ...((conversionReviewVersions ?? []).length === 0 ? [] : [forbidden(versionsPath, detail)]),
  ]
}

function configErrors(config: WebhookClientConfig | undefined, bundleIsChecked: boolean): readonly FieldError[] {
  if (config === undefined) return [required(configPath, 'required when strategy is set to Webhook')]
  const { url, service, caBundle = '' } = config
  const bundle =
    bundleIsChecked && !isValidBundle(caBundle)
      ? [
          invalidValue(
            configPath.child('caBundle'),
            caBundle,
            'unable to load root certificates: unable to parse bytes as PEM block',
          ),
        ]
      : []
  if ((url === undefined) === (service === undefined))
    return [required(configPath, 'exactly one of url or service is required'), ...bundle]
  if (url !== undefined) return [...webhookUrlErrors(configPath.child('url'), url), ...bundle]
  return service === undefined ? bundle : [...webhookServiceErrors(configPath.child('service'), service), ...bundle]
}

function reviewVersionErrors(versions: readonly string[], mustBeKnown: boolean): readonly FieldError[] {
  if (versions.length === 0) return [required(versionsPath)]
  const errors = versions.flatMap((version, index) =>
    versions.indexOf(version) < index
      ? [invalidValue(versionsPath.index(index), version, 'duplicate version')]
      : isDns1035Label(version).map((finding) => invalidValue(versionsPath.index(index), version, finding)),
  )
  if (!mustBeKnown || hasKnownReviewVersion(versions)) return errors
  return [...errors, invalidValue(versionsPath, versions, `must include at least one of ${REVIEW_VERSIONS.join(', ')}`)]
}
