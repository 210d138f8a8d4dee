/** The checks of the baseline level, each with the versions from which it counts. Words are upstream's. */

import type { Lifecycle, Probe } from '../../../../apis/core/types.gen.ts'
import { byCodeUnit } from '../../../../base/group-by.ts'
import type { Check, CheckPod } from './check.ts'
import {
  type AnyContainer,
  containersOf,
  containersText,
  counted,
  hasUserNamespace,
  namesWhere,
  quoted,
  setters,
  sortedSet,
} from './subject.ts'

const PROFILES: readonly unknown[] = ['RuntimeDefault', 'Localhost']
const APP_ARMOR_PREFIX = 'container.apparmor.security.beta.kubernetes.io/'

const appArmorProfile: CheckPod = (subject) => {
  const set = setters(subject, ({ appArmorProfile: profile }) =>
    profile && !PROFILES.includes(profile.type) ? [profile.type] : [],
  )
  const annotations = Object.entries(subject.annotations)
    .filter(([name, value]) => name.startsWith(APP_ARMOR_PREFIX) && !isAllowedAppArmor(value))
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .toSorted(byCodeUnit)
  const who = [
    ...(set ? [set.text] : []),
    ...(annotations.length > 0 ? [counted(annotations.length, 'annotation', 'annotations')] : []),
  ]
  if (who.length === 0) return undefined
  const values = [...(set?.values ?? []), ...annotations]
  return {
    reason: counted(values.length, 'forbidden AppArmor profile', 'forbidden AppArmor profiles'),
    detail: `${who.join(' and ')} must not set AppArmor profile type to ${quoted(values)}`,
  }
}

function isAllowedAppArmor(profile: string): boolean {
  return profile === '' || profile === 'runtime/default' || profile.startsWith('localhost/')
}

const CAPABILITIES: ReadonlySet<string> = new Set([
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
])

const capabilities: CheckPod = (subject) => {
  const added = ({ securityContext }: AnyContainer) =>
    (securityContext?.capabilities?.add ?? []).filter((name) => !CAPABILITIES.has(name))
  const names = namesWhere(subject, (container) => added(container).length > 0)
  if (names.length === 0) return undefined
  const forbidden = sortedSet(containersOf(subject).flatMap(added))
  return {
    reason: 'non-default capabilities',
    detail: `${containersText(names)} must not include ${quoted(forbidden)} in securityContext.capabilities.add`,
  }
}

const hostNamespaces: CheckPod = ({ spec }) => {
  const shared = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter((field) => spec[field])
  if (shared.length === 0) return undefined
  return { reason: 'host namespaces', detail: shared.map((field) => `${field}=true`).join(', ') }
}

const hostPathVolumes: CheckPod = ({ spec }) => {
  const names = (spec.volumes ?? []).filter(({ hostPath }) => hostPath).map(({ name }) => name)
  if (names.length === 0) return undefined
  return { reason: 'hostPath volumes', detail: `${counted(names.length, 'volume', 'volumes')} ${quoted(names)}` }
}

const hostPorts: CheckPod = (subject) => {
  const taken = ({ ports = [] }: AnyContainer) => ports.flatMap(({ hostPort }) => (hostPort ? [String(hostPort)] : []))
  const names = namesWhere(subject, (container) => taken(container).length > 0)
  if (names.length === 0) return undefined
  const ports = sortedSet(containersOf(subject).flatMap(taken))
  const uses = `${counted(names.length, 'uses', 'use')} ${counted(ports.length, 'hostPort', 'hostPorts')}`
  return { reason: 'hostPort', detail: `${containersText(names)} ${uses} ${ports.join(', ')}` }
}

const hostProbes: CheckPod = (subject) => {
  const names = sortedSet(namesWhere(subject, (container) => foreignHosts(container).length > 0))
  if (names.length === 0) return undefined
  const hosts = sortedSet(containersOf(subject).flatMap(foreignHosts))
  const what = counted(hosts.length, 'probe or lifecycle host', 'probe or lifecycle hosts')
  const uses = counted(names.length, 'uses', 'use')
  return { reason: 'probe or lifecycle host', detail: `${containersText(names)} ${uses} ${what} ${quoted(hosts)}` }
}

/** Hosts that the node is asked to call in the container's name. */
function foreignHosts(container: AnyContainer): readonly string[] {
  const { livenessProbe, readinessProbe, startupProbe, lifecycle } = container
  const handlers: readonly (Pick<Probe, 'httpGet' | 'tcpSocket'> | Lifecycle['preStop'])[] = [
    livenessProbe,
    readinessProbe,
    startupProbe,
    lifecycle?.postStart,
    lifecycle?.preStop,
  ]
  return handlers
    .flatMap((handler) => [handler?.httpGet?.host, handler?.tcpSocket?.host])
    .filter((host) => Boolean(host)) as string[]
}

const privileged: CheckPod = (subject) => {
  const names = namesWhere(subject, ({ securityContext }) => securityContext?.privileged === true)
  if (names.length === 0) return undefined
  return { reason: 'privileged', detail: `${containersText(names)} must not set securityContext.privileged=true` }
}

export const procMount: CheckPod = (subject) => {
  const unmasked = ({ securityContext }: AnyContainer) => {
    const type = securityContext?.procMount
    return type !== undefined && type !== 'Default' ? [type] : []
  }
  const names = namesWhere(subject, (container) => unmasked(container).length > 0)
  if (names.length === 0) return undefined
  const types = sortedSet(containersOf(subject).flatMap(unmasked))
  return {
    reason: 'procMount',
    detail: `${containersText(names)} must not set securityContext.procMount to ${quoted(types)}`,
  }
}

/** For checks that mean nothing in a user namespace. */
export function unlessInUserNamespace(check: CheckPod): CheckPod {
  return (subject) => (hasUserNamespace(subject) ? undefined : check(subject))
}

const SELINUX_TYPES = ['', 'container_t', 'container_init_t', 'container_kvm_t']

const seLinuxOptions =
  (types: readonly string[]): CheckPod =>
  (subject) => {
    const set = setters(subject, ({ seLinuxOptions: options }) => [
      ...(options && !types.includes(options.type ?? '') ? [`type ${options.type}`] : []),
      ...(options?.user ? ['user'] : []),
      ...(options?.role ? ['role'] : []),
    ])
    if (!set) return undefined
    const bad = set.values.filter((value) => value.startsWith('type ')).map((value) => value.slice('type '.length))
    const parts = [
      ...(bad.length > 0 ? [`${counted(bad.length, 'type', 'types')} ${quoted(bad)}`] : []),
      ...(set.values.includes('user') ? ['user may not be set'] : []),
      ...(set.values.includes('role') ? ['role may not be set'] : []),
    ]
    return {
      reason: 'seLinuxOptions',
      detail: `${set.text} set forbidden securityContext.seLinuxOptions: ${parts.join('; ')}`,
    }
  }

const SECCOMP_POD = 'seccomp.security.alpha.kubernetes.io/pod'
const SECCOMP_CONTAINER = 'container.seccomp.security.alpha.kubernetes.io/'

const seccompAnnotations: CheckPod = (subject) => {
  const names = [SECCOMP_POD, ...containersOf(subject).map(({ name }) => `${SECCOMP_CONTAINER}${name}`)]
  const forbidden = sortedSet(
    names.flatMap((name) => {
      const value = subject.annotations[name]
      return value === undefined || isAllowedSeccomp(value) ? [] : [`${name}=${JSON.stringify(value)}`]
    }),
  )
  if (forbidden.length === 0) return undefined
  const what = counted(forbidden.length, 'annotation', 'annotations')
  return { reason: 'seccompProfile', detail: `forbidden ${what} ${forbidden.join(', ')}` }
}

function isAllowedSeccomp(value: string): boolean {
  return value === 'runtime/default' || value === 'docker/default' || value.startsWith('localhost/')
}

export const seccompProfiles: CheckPod = (subject) => {
  const set = setters(subject, ({ seccompProfile: profile }) =>
    profile && !PROFILES.includes(profile.type) ? [profile.type] : [],
  )
  if (!set) return undefined
  const detail = `${set.text} must not set securityContext.seccompProfile.type to ${quoted(set.values)}`
  return { reason: 'seccompProfile', detail }
}

const SYSCTLS_1_0 = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_unprivileged_port_start',
]
const SYSCTLS_1_27 = [...SYSCTLS_1_0, 'net.ipv4.ip_local_reserved_ports']
const SYSCTLS_1_29 = [
  ...SYSCTLS_1_27,
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
]
const SYSCTLS_1_32 = [...SYSCTLS_1_29, 'net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem']

const sysctls =
  (allowed: readonly string[]): CheckPod =>
  ({ spec }) => {
    const names = (spec.securityContext?.sysctls ?? []).map(({ name }) => name)
    const forbidden = names.filter((name) => !allowed.includes(name))
    return forbidden.length === 0 ? undefined : { reason: 'forbidden sysctls', detail: forbidden.join(', ') }
  }

const windowsHostProcess: CheckPod = (subject) => {
  const set = setters(subject, ({ windowsOptions }) => (windowsOptions?.hostProcess ? ['true'] : []))
  const detail = `${set?.text} must not set securityContext.windowsOptions.hostProcess=true`
  return set && { reason: 'hostProcess', detail }
}

/** In order of their names, which is the order in which what they find is told. */
export const BASELINE: readonly Check[] = [
  { id: 'appArmorProfile', versions: [{ since: 0, check: appArmorProfile }] },
  { id: 'capabilities_baseline', versions: [{ since: 0, check: capabilities }] },
  { id: 'hostNamespaces', versions: [{ since: 0, check: hostNamespaces }] },
  { id: 'hostPathVolumes', versions: [{ since: 0, check: hostPathVolumes }] },
  { id: 'hostPorts', versions: [{ since: 0, check: hostPorts }] },
  { id: 'hostProbesAndHostLifecycle', versions: [{ since: 34, check: hostProbes }] },
  { id: 'privileged', versions: [{ since: 0, check: privileged }] },
  {
    id: 'procMount',
    versions: [
      { since: 0, check: procMount },
      { since: 35, check: unlessInUserNamespace(procMount) },
    ],
  },
  {
    id: 'seLinuxOptions',
    versions: [
      { since: 0, check: seLinuxOptions(SELINUX_TYPES) },
      { since: 31, check: seLinuxOptions([...SELINUX_TYPES, 'container_engine_t']) },
    ],
  },
  {
    id: 'seccompProfile_baseline',
    versions: [
      { since: 0, check: seccompAnnotations },
      { since: 19, check: seccompProfiles },
    ],
  },
  {
    id: 'sysctls',
    versions: [
      { since: 0, check: sysctls(SYSCTLS_1_0) },
      { since: 27, check: sysctls(SYSCTLS_1_27) },
      { since: 29, check: sysctls(SYSCTLS_1_29) },
      { since: 32, check: sysctls(SYSCTLS_1_32) },
    ],
  },
  { id: 'windowsHostProcess', versions: [{ since: 0, check: windowsHostProcess }] },
]
