/**
 * A service account may say that its pods get no secrets but those it names. Which secrets a pod wants besides, in
 * upstream's words.
 */

import type { Container, EphemeralContainer, Pod, ServiceAccount } from '../../../apis/core/types.gen.ts'

const ENFORCE = 'kubernetes.io/enforce-mountable-secrets'
/** What counts as true in an annotation, as Go's ParseBool reads it. */
const TRUE: ReadonlySet<string> = new Set(['1', 't', 'T', 'true', 'TRUE', 'True'])

export function limitsSecrets({ metadata }: ServiceAccount): boolean {
  return TRUE.has(metadata.annotations?.[ENFORCE] ?? '')
}

/** Why the pod may not run as this account; undefined: it may. */
export function forbiddenSecret({ spec }: Pod, account: ServiceAccount): string | undefined {
  const named = new Set((account.secrets ?? []).map(({ name }) => name ?? ''))
  const pulls = new Set((account.imagePullSecrets ?? []).map(({ name }) => name ?? ''))
  const because = `is not allowed because service account ${account.metadata.name} does not reference that`
  const volume = (spec?.volumes ?? []).find(({ secret }) => secret && !named.has(secret.secretName ?? ''))
  if (volume) return `volume with secret.secretName="${volume.secret?.secretName}" ${because} secret`
  const used =
    ofContainers('init container', spec?.initContainers, named) ?? ofContainers('container', spec?.containers, named)
  if (used !== undefined) return `${used} ${because} secret`
  const pull = (spec?.imagePullSecrets ?? []).findIndex(({ name }) => !pulls.has(name ?? ''))
  if (pull < 0) return undefined
  return `imagePullSecrets[${pull}].name="${spec?.imagePullSecrets?.[pull]?.name}" ${because} imagePullSecret`
}

/** The same for containers that are added to a running pod. */
export function forbiddenEphemeralSecret({ spec }: Pod, account: ServiceAccount): string | undefined {
  const named = new Set((account.secrets ?? []).map(({ name }) => name ?? ''))
  const used = ofContainers('ephemeral container', spec?.ephemeralContainers, named)
  if (used === undefined) return undefined
  return `${used} is not allowed because service account ${account.metadata.name} does not reference that secret`
}

function ofContainers(
  what: string,
  containers: readonly (Container | EphemeralContainer)[] = [],
  named: ReadonlySet<string>,
): string | undefined {
  for (const { name, env = [], envFrom = [] } of containers) {
    const variable = env.find(({ valueFrom }) => isOther(valueFrom?.secretKeyRef, named))
    if (variable) {
      const secret = variable.valueFrom?.secretKeyRef?.name
      return `${what} ${name} with envVar ${variable.name} referencing secret.secretName="${secret}"`
    }
    const source = envFrom.find(({ secretRef }) => isOther(secretRef, named))
    if (source) return `${what} ${name} with envFrom referencing secret.secretName="${source.secretRef?.name}"`
  }
  return undefined
}

function isOther(reference: { readonly name?: string | undefined } | undefined, named: ReadonlySet<string>): boolean {
  return reference !== undefined && !named.has(reference.name ?? '')
}
