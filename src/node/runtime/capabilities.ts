/** Linux capabilities by number, and which of them this machine can give to a container. */

import { readFile } from 'node:fs/promises'

/** PERFMON, BPF and CHECKPOINT_RESTORE came later: older engines refuse them, and SYS_ADMIN includes them. */
const NAMES =
  `CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE
NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN
SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE
MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ`.split(/\s+/)

export const allCapabilities: readonly string[] = NAMES

/**
 * What the machine's first process may hold. A machine that is itself a container often lacks some, and an engine
 * refuses every container that asks for one of these. Unreadable (an engine in a virtual machine): all.
 */
export async function machineCapabilities(statusFile = '/proc/1/status'): Promise<readonly string[]> {
  const status = await readFile(statusFile, 'utf8').catch(() => '')
  return boundingSet(status) ?? allCapabilities
}

/** The `CapBnd` line of a status file as names; undefined: not there. */
export function boundingSet(status: string): readonly string[] | undefined {
  const hex = /^CapBnd:\s*([0-9a-f]+)$/m.exec(status)?.[1]
  if (hex === undefined) return undefined
  const bits = BigInt(`0x${hex}`)
  return NAMES.filter((_, number) => (bits >> BigInt(number)) & 1n)
}
