/** Rules for pods on Windows: what they may not have, how their users are named, processes of the host. */

import { type FieldError, type FieldPath, forbidden, invalidValue } from '../../../machinery/meta/field-error.ts'
import { isDns1123Subdomain } from '../../../machinery/meta/names.ts'
import { dnsSubdomainErrors } from '../../field-rules.ts'
import type { PodSecurityContext, PodSpec, SecurityContext, WindowsSecurityContextOptions } from '../types.gen.ts'
import { forbiddenFields } from './findings.ts'

/** The contexts of the pod and of all its containers. */
export function securityContexts(spec: PodSpec, path: FieldPath): readonly (readonly [PodContext, FieldPath])[] {
  const places: (readonly [PodContext | undefined, FieldPath])[] = [[spec.securityContext, path]]
  for (const list of ['initContainers', 'containers', 'ephemeralContainers'] as const)
    for (const [index, container] of (spec[list] ?? []).entries())
      places.push([container.securityContext, path.child(list).index(index)])
  return places.flatMap(([context, place]) => (context ? [[context, place.child('securityContext')] as const] : []))
}

type PodContext = PodSecurityContext | SecurityContext

const NOT_ON_WINDOWS: readonly string[] = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'fsGroup',
  'fsGroupChangePolicy',
  'sysctls',
  'capabilities',
  'readOnlyRootFilesystem',
  'privileged',
  'allowPrivilegeEscalation',
  'procMount',
  'runAsUser',
  'runAsGroup',
  'supplementalGroups',
  'supplementalGroupsPolicy',
  'seLinuxChangePolicy',
]

/** What a pod for Windows has no use for. */
export function windowsErrors(spec: PodSpec, path: FieldPath): FieldError[] {
  const detail = 'cannot be set for a windows pod'
  const hosts = [
    ...forbiddenFields(spec, ['hostUsers', 'shareProcessNamespace'], detail, path),
    ...(['hostPID', 'hostIPC'] as const).flatMap((field) =>
      spec[field] ? [forbidden(path.child(field), detail)] : [],
    ),
  ]
  const contexts = securityContexts(spec, path).flatMap(([context, place]) =>
    NOT_ON_WINDOWS.filter((field) => Reflect.get(context, field) !== undefined).map((field) =>
      forbidden(place.child(field), detail),
    ),
  )
  return [...hosts, ...contexts]
}

/** Bytes of a credential spec. */
const CREDENTIAL_SPEC_KIB_MAX = 64
/** Characters of the two parts of a user's name, `DOMAIN\\user`. */
const USER_DOMAIN_LENGTH_MAX = 256
const USER_LENGTH_MAX = 104

export function windowsOptionsErrors(
  options: WindowsSecurityContextOptions | undefined,
  path: FieldPath,
): FieldError[] {
  if (!options) return []
  const { gmsaCredentialSpecName, gmsaCredentialSpec: credentials, runAsUserName } = options
  const at = path.child('gmsaCredentialSpec')
  const errors =
    gmsaCredentialSpecName === undefined
      ? []
      : dnsSubdomainErrors(path.child('gmsaCredentialSpecName'), gmsaCredentialSpecName)
  if (credentials === '') errors.push(invalidValue(at, credentials, 'gmsaCredentialSpec cannot be an empty string'))
  if (credentials !== undefined && Buffer.byteLength(credentials) > CREDENTIAL_SPEC_KIB_MAX * 1024)
    errors.push(invalidValue(at, credentials, `gmsaCredentialSpec size must be under ${CREDENTIAL_SPEC_KIB_MAX} KiB`))
  if (runAsUserName === undefined) return errors
  const findings = userFindings(runAsUserName).map((finding) => `runAsUserName${finding}`)
  return [...errors, ...findings.map((finding) => invalidValue(path.child('runAsUserName'), runAsUserName, finding))]
}

const CONTROL_CHARACTERS = /\p{Cc}/u
const NETBIOS_DOMAIN = /^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/
const DOTS_AND_SPACES = /^[. ]+$/
const NO_USER_CHARACTERS = /["/\\:;|=,+*?<>@[\]]/

function userFindings(name: string): readonly string[] {
  if (name === '') return [' cannot be an empty string']
  if (CONTROL_CHARACTERS.test(name)) return [' cannot contain control characters']
  const parts = name.split('\\')
  if (parts.length > 2) return [' cannot contain more than one backslash']
  const user = parts.at(-1) ?? ''
  const domain = parts.length === 2 ? parts[0] : undefined
  const findings = domain === undefined ? [] : domainFindings(domain)
  if (user === '') findings.push("'s User cannot be empty")
  else if (user.length > USER_LENGTH_MAX)
    findings.push(`'s User length must not be longer than ${USER_LENGTH_MAX} characters`)
  if (DOTS_AND_SPACES.test(user)) findings.push("'s User cannot contain only periods or spaces")
  if (NO_USER_CHARACTERS.test(user))
    findings.push('\'s User cannot contain the following characters: "/\\:;|=,+*?<>@[]')
  return findings
}

function domainFindings(domain: string): string[] {
  const findings: string[] = []
  if (domain.length >= USER_DOMAIN_LENGTH_MAX)
    findings.push(`'s Domain length must be under ${USER_DOMAIN_LENGTH_MAX} characters`)
  if (!NETBIOS_DOMAIN.test(domain) && isDns1123Subdomain(domain.toLowerCase()).length > 0)
    findings.push("'s Domain doesn't match the NetBios nor the DNS format")
  return findings
}

/** Processes of the host are all of a pod or nothing, and share the network of the host. */
export function hostProcessErrors(spec: PodSpec, path: FieldPath): FieldError[] {
  const ofPod = spec.securityContext?.windowsOptions?.hostProcess
  const errors: FieldError[] = []
  let containers = 0
  let hostProcesses = 0
  for (const list of ['initContainers', 'containers', 'ephemeralContainers'] as const)
    for (const [index, { securityContext }] of (spec[list] ?? []).entries()) {
      containers++
      const own = securityContext?.windowsOptions?.hostProcess
      if (own ?? ofPod) hostProcesses++
      if (ofPod === undefined || own === undefined || own === ofPod) continue
      const at = path.child(list).index(index).child('securityContext', 'windowsOptions', 'hostProcess')
      errors.push(invalidValue(at, own, `pod hostProcess value must be identical if both are specified, was ${ofPod}`))
    }
  if (hostProcesses === 0) return errors
  if (hostProcesses !== containers) {
    const detail = 'If pod contains any hostProcess containers then all containers must be HostProcess containers'
    errors.push(invalidValue(path, '', detail))
  }
  if (!spec.hostNetwork) {
    const detail = 'hostNetwork must be true if pod contains any hostProcess containers'
    errors.push(invalidValue(path.child('hostNetwork'), false, detail))
  }
  return errors
}
