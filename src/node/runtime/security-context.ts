/** Pure: a container's security settings in the engine's words. */

import type { HostConfig } from 'dockerode'
import { allCapabilities } from './capabilities.ts'
import type { ContainerSecurity } from './runtime.ts'

/** Without CAP_SYS_RESOURCE no process can protect itself better than its parent is. */
const OOM_SCORE_UNPRIVILEGED_MIN = 0

export interface SecurityFacts {
  /** What the machine can give, without `CAP_`. */
  readonly capabilities: readonly string[]
  /** The user of the image, for a container that sets its group only. */
  readonly imageUser: string
  /** The text of the profile, when the settings name a file. */
  readonly localSeccompProfile?: string | undefined
}

export function securityConfig(security: ContainerSecurity, facts: SecurityFacts): HostConfig {
  return {
    ReadonlyRootfs: security.readOnlyRootFilesystem,
    GroupAdd: security.supplementalGroups.map(String),
    ...(security.privileged ? privilegedConfig(security, facts) : confinedConfig(security, facts)),
  }
}

/** `uid[:gid]`; undefined keeps the image's. */
export function userOf(security: ContainerSecurity, imageUser: string): string | undefined {
  const { user, group } = security
  if (group === undefined) return user === undefined ? undefined : String(user)
  return `${user ?? (imageUser.split(':')[0] || '0')}:${group}`
}

export function oomScore(adjustment: number, capabilities: readonly string[]): number {
  if (capabilities.includes('SYS_RESOURCE')) return adjustment
  return Math.max(adjustment, OOM_SCORE_UNPRIVILEGED_MIN)
}

/**
 * An engine that lacks a capability refuses `Privileged` altogether. There, a privileged container gets everything that
 * exists one by one: the capabilities, all devices, and no confinement. What it does not get is a writable /sys.
 */
function privilegedConfig(security: ContainerSecurity, { capabilities }: SecurityFacts): HostConfig {
  if (allCapabilities.every((name) => capabilities.includes(name))) return { Privileged: true }
  return {
    CapAdd: [...capabilities],
    SecurityOpt: ['seccomp=unconfined', 'apparmor=unconfined', ...noNewPrivileges(security)],
    MaskedPaths: [],
    ReadonlyPaths: [],
    Devices: [{ PathOnHost: '/dev', PathInContainer: '/dev', CgroupPermissions: 'rwm' }],
    DeviceCgroupRules: ['a *:* rwm'],
  }
}

function confinedConfig(security: ContainerSecurity, facts: SecurityFacts): HostConfig {
  return {
    CapAdd: addedCapabilities(security, facts.capabilities),
    CapDrop: security.dropCapabilities.map(withoutPrefix),
    SecurityOpt: [...seccomp(security, facts.localSeccompProfile), ...noNewPrivileges(security)],
    ...(security.unmaskedProc && { MaskedPaths: [], ReadonlyPaths: [] }),
  }
}

/** `ALL` becomes the list of what there is, where the engine could not give all. */
function addedCapabilities(security: ContainerSecurity, available: readonly string[]): string[] {
  const added = security.addCapabilities.map(withoutPrefix)
  const dropped = new Set(security.dropCapabilities.map(withoutPrefix))
  if (!added.includes('ALL') || available.length === allCapabilities.length) return added
  return available.filter((name) => !dropped.has(name))
}

function seccomp({ seccomp }: ContainerSecurity, localProfile: string | undefined): readonly string[] {
  if (seccomp === 'runtime-default') return []
  return [`seccomp=${seccomp === 'unconfined' ? 'unconfined' : (localProfile ?? '')}`]
}

function noNewPrivileges(security: ContainerSecurity): readonly string[] {
  return security.noNewPrivileges ? ['no-new-privileges'] : []
}

function withoutPrefix(capability: string): string {
  return capability.toUpperCase().replace(/^CAP_/, '')
}
