/** The checks that the restricted level adds to the baseline's, some in the place of one of those. Words are upstream's. */

import { procMount, seccompProfiles, unlessInUserNamespace } from './baseline.ts'
import type { Check, CheckPod } from './check.ts'
import { containersOf, containersText, counted, isWindows, namesWhere, quoted, setters, sortedSet } from './subject.ts'

const allowPrivilegeEscalation: CheckPod = (subject) => {
  const names = namesWhere(subject, ({ securityContext }) => securityContext?.allowPrivilegeEscalation !== false)
  if (names.length === 0) return undefined
  return {
    reason: 'allowPrivilegeEscalation != false',
    detail: `${containersText(names)} must set securityContext.allowPrivilegeEscalation=false`,
  }
}

const ADDABLE = 'NET_BIND_SERVICE'

const capabilities: CheckPod = (subject) => {
  const keeping = namesWhere(subject, ({ securityContext }) => !securityContext?.capabilities?.drop?.includes('ALL'))
  const adding = containersOf(subject)
    .map(({ name, securityContext }) => ({ name, added: securityContext?.capabilities?.add ?? [] }))
    .map(({ name, added }) => ({ name, added: added.filter((capability) => capability !== ADDABLE) }))
    .filter(({ added }) => added.length > 0)
  const details: string[] = []
  if (keeping.length > 0) details.push(`${containersText(keeping)} must set securityContext.capabilities.drop=["ALL"]`)
  if (adding.length > 0) {
    const forbidden = quoted(sortedSet(adding.flatMap(({ added }) => added)))
    const who = containersText(adding.map(({ name }) => name))
    details.push(`${who} must not include ${forbidden} in securityContext.capabilities.add`)
  }
  return details.length === 0 ? undefined : { reason: 'unrestricted capabilities', detail: details.join('; ') }
}

const ALLOWED_VOLUMES = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'image',
  'persistentVolumeClaim',
  'projected',
  'secret',
]

const volumes: CheckPod = ({ spec }) => {
  const restricted = (spec.volumes ?? [])
    .map(({ name, ...sources }) => ({
      name,
      types: Object.entries(sources).flatMap(([type, source]) => (source ? [type] : [])),
    }))
    .filter(({ types }) => !types.some((type) => ALLOWED_VOLUMES.includes(type)))
  if (restricted.length === 0) return undefined
  const names = restricted.map(({ name }) => name)
  const types = sortedSet(restricted.map(({ types: [type = 'unknown'] }) => type))
  const uses = counted(names.length, 'uses', 'use')
  const what = counted(types.length, 'restricted volume type', 'restricted volume types')
  return {
    reason: 'restricted volume types',
    detail: `${counted(names.length, 'volume', 'volumes')} ${quoted(names)} ${uses} ${what} ${quoted(types)}`,
  }
}

const runAsNonRoot: CheckPod = (subject) => {
  const reason = 'runAsNonRoot != true'
  const set = setters(subject, (context) => (context.runAsNonRoot === false ? ['false'] : []))
  if (set) return { reason, detail: `${set.text} must not set securityContext.runAsNonRoot=false` }
  if (subject.spec.securityContext?.runAsNonRoot) return undefined
  const names = namesWhere(subject, ({ securityContext }) => securityContext?.runAsNonRoot == null)
  if (names.length === 0) return undefined
  return { reason, detail: `pod or ${containersText(names)} must set securityContext.runAsNonRoot=true` }
}

const runAsUser: CheckPod = (subject) => {
  const set = setters(subject, (context) => (context.runAsUser === 0 ? ['0'] : []))
  return set && { reason: 'runAsUser=0', detail: `${set.text} must not set runAsUser=0` }
}

const seccompProfile: CheckPod = (subject) => {
  const wrong = seccompProfiles(subject)
  if (wrong || subject.spec.securityContext?.seccompProfile) return wrong
  const names = namesWhere(subject, ({ securityContext }) => !securityContext?.seccompProfile)
  if (names.length === 0) return undefined
  const must = 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'
  return { reason: 'seccompProfile', detail: `pod or ${containersText(names)} ${must}` }
}

/** For checks of what Windows does not have. */
function unlessOnWindows(check: CheckPod): CheckPod {
  return (subject) => (isWindows(subject) ? undefined : check(subject))
}

/** In order of their names, which is the order in which what they find is told. */
export const RESTRICTED: readonly Check[] = [
  {
    id: 'allowPrivilegeEscalation',
    versions: [
      { since: 8, check: allowPrivilegeEscalation },
      { since: 25, check: unlessOnWindows(allowPrivilegeEscalation) },
    ],
  },
  {
    id: 'capabilities_restricted',
    replaces: 'capabilities_baseline',
    versions: [
      { since: 22, check: capabilities },
      { since: 25, check: unlessOnWindows(capabilities) },
    ],
  },
  { id: 'procMount_restricted', replaces: 'procMount', versions: [{ since: 35, check: procMount }] },
  { id: 'restrictedVolumes', replaces: 'hostPathVolumes', versions: [{ since: 0, check: volumes }] },
  {
    id: 'runAsNonRoot',
    versions: [
      { since: 0, check: runAsNonRoot },
      { since: 35, check: unlessInUserNamespace(runAsNonRoot) },
    ],
  },
  {
    id: 'runAsUser',
    versions: [
      { since: 23, check: runAsUser },
      { since: 35, check: unlessInUserNamespace(runAsUser) },
    ],
  },
  {
    id: 'seccompProfile_restricted',
    replaces: 'seccompProfile_baseline',
    versions: [
      { since: 19, check: seccompProfile },
      { since: 25, check: unlessOnWindows(seccompProfile) },
    ],
  },
]
