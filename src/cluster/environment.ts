/** The real world: clock, chance, log and the facts of this machine. The one place that reads them. */

import { readFileSync, statfsSync } from 'node:fs'
import { arch, cpus, networkInterfaces, release, totalmem } from 'node:os'
import { type Clock, systemClock } from '../base/clock.ts'
import { createLogger, type Logger, type LogLevel } from '../base/log.ts'
import { type Random, systemRandom } from '../base/random.ts'
import type { MachineFacts } from '../node/registration.ts'

export interface Environment {
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly machine: MachineFacts
  /** The machine's first IPv4 address that is not only its own; undefined without a network. */
  readonly address: string | undefined
  /** Text of /etc/hosts and /etc/resolv.conf of this machine. */
  readonly hosts: string
  readonly resolvConf: string
}

export interface EnvironmentOptions {
  readonly logLevel: LogLevel
  /** A file, or 1 or 2 for the process's own outputs. */
  readonly logDestination: string | number
  /** Whose file system counts as the nodes' disk. */
  readonly directory: string
}

export function createEnvironment({ logLevel, logDestination, directory }: EnvironmentOptions): Environment {
  return {
    clock: systemClock,
    random: systemRandom,
    log: createLogger({ level: logLevel, destination: logDestination }),
    machine: machineFacts(directory),
    address: firstAddress(),
    hosts: textOf('/etc/hosts'),
    resolvConf: textOf('/etc/resolv.conf'),
  }
}

function firstAddress(): string | undefined {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  return addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address
}

function machineFacts(directory: string): MachineFacts {
  const { blocks, bsize } = statfsSync(directory)
  return {
    architecture: arch() === 'arm64' ? 'arm64' : 'amd64',
    operatingSystem: 'linux',
    osImage: /^PRETTY_NAME="?(.*?)"?$/m.exec(textOf('/etc/os-release'))?.[1] ?? 'unknown',
    kernelVersion: release(),
    machineId: textOf('/etc/machine-id').trim(),
    bootId: textOf('/proc/sys/kernel/random/boot_id').trim(),
    cpus: cpus().length,
    memoryBytes: totalmem(),
    diskBytes: blocks * bsize,
  }
}

/** Empty where there is no such file: not every system has all of them. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
