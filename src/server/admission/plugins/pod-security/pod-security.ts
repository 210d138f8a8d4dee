/**
 * PodSecurity: pods keep to the pod security standard that their namespace's labels name. What is enforced is refused;
 * what is only warned of, and templates that would make such pods, is answered with warnings.
 */

import { namespaces } from '../../../../apis/core/namespace.ts'
import { pods } from '../../../../apis/core/pod/definition.ts'
import type { Container, EphemeralContainer, Namespace, Pod, PodTemplateSpec } from '../../../../apis/core/types.gen.ts'
import { fieldOf } from '../../../../apis/strategy-parts.ts'
import { type Awaitable, whenThere } from '../../../../base/awaitable.ts'
import { deepEqual } from '../../../../base/deep-equal.ts'
import { oncePer } from '../../../../base/lru.ts'
import { internalError, invalid } from '../../../../machinery/meta/api-error.ts'
import type { KubeObject, ObjectMeta } from '../../../../machinery/meta/object.ts'
import type { AdmissionAttributes } from '../../../registry/admission-hooks.ts'
import type { AdmissionPlugin, AdmissionView } from '../../plugin.ts'
import { refused } from '../../refusal.ts'
import { detailsText, violationsOf } from './evaluate.ts'
import { existingPodWarnings } from './existing-pods.ts'
import { isStricter, type Policy, policyErrors, policyOf, type Standard, sameStandard, standardText } from './policy.ts'
import type { Subject } from './subject.ts'

/** Where the template of a pod stands in what makes pods, by group and resource. */
const TEMPLATES: ReadonlyMap<string, readonly string[]> = new Map([
  ['/podtemplates', ['template']],
  ['/replicationcontrollers', ['spec', 'template']],
  ['apps/replicasets', ['spec', 'template']],
  ['apps/deployments', ['spec', 'template']],
  ['apps/statefulsets', ['spec', 'template']],
  ['apps/daemonsets', ['spec', 'template']],
  ['batch/jobs', ['spec', 'template']],
  ['batch/cronjobs', ['spec', 'jobTemplate', 'spec', 'template']],
])

/** Subresources of pods that do not change what runs in them. */
const IGNORED: ReadonlySet<string> = new Set([
  'exec',
  'attach',
  'binding',
  'eviction',
  'log',
  'portforward',
  'proxy',
  'status',
])

export function podSecurity({ view }: { readonly view: AdmissionView }): AdmissionPlugin {
  return {
    name: 'PodSecurity',
    operations: ['CREATE', 'UPDATE'],
    about: ['/namespaces', '/pods', ...TEMPLATES.keys()],
    validate(attributes) {
      const { definition, subresource, object } = attributes
      if (!object) return undefined
      const name = `${definition.group}/${definition.resource}`
      // The names say what the objects are.
      if (name === '/namespaces')
        return subresource === '' ? checkNamespace(view, attributes, object.metadata) : undefined
      if (name === '/pods') return IGNORED.has(subresource) ? undefined : checkPod(view, attributes, object as Pod)
      const path = TEMPLATES.get(name)
      return path && subresource === '' ? warnOfTemplate(view, attributes, templateAt(object, path)) : undefined
    },
  }
}

async function checkNamespace(
  view: AdmissionView,
  attributes: AdmissionAttributes,
  { name = '', labels }: ObjectMeta,
): Promise<void> {
  const { definition, operation, previous, warn } = attributes
  const errors = policyErrors(labels)
  const before = previous ? policyErrors(previous.metadata.labels) : []
  if (errors.length > 0 && !deepEqual(errors, before)) throw invalid(definition, name, errors)
  if (operation !== 'UPDATE') return
  const { enforce } = policyOf(labels)
  const { enforce: old } = policyOf(previous?.metadata.labels)
  if (sameStandard(enforce, old) || enforce.level === 'privileged') return
  if (enforce.minor === old.minor && !isStricter(enforce.level, old.level)) return
  for (const text of existingPodWarnings(name, await view.list(pods, name), enforce)) warn(text)
}

function checkPod(view: AdmissionView, attributes: AdmissionAttributes, pod: Pod): Awaitable<void> {
  return whenThere(policyFor(view, attributes), (policy) => {
    const { enforce } = policy
    if (isFree(policy)) return auditPolicy(attributes, enforce)
    // The previous state of a pod is a pod.
    if (attributes.previous && !runsSomethingElse(pod, attributes.previous as Pod)) return
    const subject = { spec: pod.spec ?? { containers: [] }, annotations: pod.metadata.annotations ?? {} }
    auditPolicy(attributes, enforce)
    auditViolations(attributes, subject, policy.audit)
    const violations = violationsOf(subject, enforce)
    if (violations.length > 0)
      throw refused(attributes, `violates PodSecurity "${standardText(enforce)}": ${detailsText(violations)}`)
    warnOf(attributes, subject, policy.warn)
  })
}

function warnOfTemplate(
  view: AdmissionView,
  attributes: AdmissionAttributes,
  template: PodTemplateSpec | undefined,
): Awaitable<void> {
  return whenThere(policyFor(view, attributes), (policy) => {
    if (!template?.spec) return
    const subject = { spec: template.spec, annotations: template.metadata?.annotations ?? {} }
    auditViolations(attributes, subject, policy.audit)
    if (policy.warn.level !== 'privileged') warnOf(attributes, subject, policy.warn)
  })
}

function auditPolicy(attributes: AdmissionAttributes, enforced: Standard): void {
  if (attributes.audit !== undefined) audit(attributes, 'enforce-policy', standardText(enforced))
}

/** Under a key of the audit log. */
function audit({ audit: trail }: AdmissionAttributes, key: string, text: string): void {
  trail?.annotate(`pod-security.kubernetes.io/${key}`, text)
}

function auditViolations(attributes: AdmissionAttributes, subject: Subject, standard: Standard): void {
  if (attributes.audit === undefined || standard.level === 'privileged') return
  const violations = violationsOf(subject, standard)
  if (violations.length === 0) return
  const text = `would violate PodSecurity "${standardText(standard)}": ${detailsText(violations)}`
  audit(attributes, 'audit-violations', text)
}

function warnOf({ warn }: AdmissionAttributes, subject: Subject, standard: Standard): void {
  const violations = violationsOf(subject, standard)
  if (violations.length > 0) warn(`would violate PodSecurity "${standardText(standard)}": ${detailsText(violations)}`)
}

function policyFor(view: AdmissionView, { namespace }: AdmissionAttributes): Awaitable<Policy> {
  return whenThere(view.get(namespaces, { name: namespace }), (found) => {
    if (!found) throw internalError(`failed to lookup namespace "${namespace}"`)
    return policyOfNamespace(found)
  })
}

const policyOfNamespace = oncePer(({ metadata }: Namespace): Policy => policyOf(metadata.labels))

function isFree({ enforce, audit, warn }: Policy): boolean {
  return enforce.level === 'privileged' && audit.level === 'privileged' && warn.level === 'privileged'
}

/** Of what an update may change only images and added containers count. */
function runsSomethingElse({ spec }: Pod, { spec: previous }: Pod): boolean {
  const images = (containers: readonly (Container | EphemeralContainer)[] = []) => containers.map(({ image }) => image)
  if (!deepEqual(images(spec?.containers), images(previous?.containers))) return true
  if (!deepEqual(images(spec?.initContainers), images(previous?.initContainers))) return true
  const old = new Map((previous?.ephemeralContainers ?? []).map(({ name, image }) => [name, image]))
  return (spec?.ephemeralContainers ?? []).some(({ name, image }) => !old.has(name) || old.get(name) !== image)
}

function templateAt(object: KubeObject, path: readonly string[]): PodTemplateSpec | undefined {
  const [first = '', ...rest] = path
  let value = fieldOf(object, first)
  for (const name of rest) value = typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
  // The schema of the resource has a template there.
  return value as PodTemplateSpec | undefined
}
