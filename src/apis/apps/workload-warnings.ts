/** What a client is warned of when it writes a workload: names that pods inherit, and what the template holds. */

import { deepEqual } from '../../base/deep-equal.ts'
import { FieldPath } from '../../machinery/meta/field-error.ts'
import { isDns1123Label } from '../../machinery/meta/names.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import { podTemplateWarnings } from '../core/pod/warnings.ts'
import type { PodTemplateSpec } from '../core/types.gen.ts'

type Workload = KubeObject & { readonly spec?: { readonly template?: PodTemplateSpec | undefined } | undefined }

const templatePath = new FieldPath('spec.template')

export function templateWarnings(object: Workload, previous: Workload | undefined): readonly string[] {
  const template = object.spec?.template
  if (!template || (previous && deepEqual(template, previous.spec?.template))) return []
  return podTemplateWarnings(template, templatePath)
}

/** Also for the name, where pods get names that begin with it. */
export function workloadWarnings(object: Workload, previous: Workload | undefined): readonly string[] {
  return [...podNameWarnings(object, previous), ...templateWarnings(object, previous)]
}

/** For the name of something new whose pods get names that begin with it. */
export function podNameWarnings(object: KubeObject, previous: KubeObject | undefined): readonly string[] {
  const findings = previous ? [] : isDns1123Label(object.metadata.name ?? '')
  const advice =
    'this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended'
  return findings.length === 0 ? [] : [`metadata.name: ${advice}: [${findings.join(' ')}]`]
}
