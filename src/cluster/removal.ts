/**
 * Takes away what a cluster made on this machine, whether or not its process still lives: containers, networks,
 * routes, mounts and its folder. Safe to repeat; the folder goes last, so what fails can be tried again.
 */

import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { removeHostRoutes } from '../network/pods/host-routes.ts'
import { namespaceCommands } from '../network/pods/namespace-command.ts'
import { openDockerEngine } from '../node/runtime/docker-engine.ts'
import { removeClusterContainers } from '../node/runtime/docker-nodes.ts'
import type { ClusterConfig } from './config.ts'

export async function removeCluster(config: ClusterConfig, usesDocker: boolean): Promise<void> {
  if (usesDocker) {
    await removeContainers(config)
    await removeHostRoutes(namespaceCommands, config.name)
  }
  await unmountBelow(config.directory)
  await rm(config.directory, { recursive: true, force: true })
}

/** Throws `DockerUnavailable` when the engine does not answer: its containers would be left behind. */
async function removeContainers({ name, dockerSocket }: ClusterConfig): Promise<void> {
  const engine = await openDockerEngine({ host: `unix://${dockerSocket}`, capabilities: [] })
  await removeClusterContainers(engine, name)
}

async function unmountBelow(directory: string): Promise<void> {
  if (!existsSync('/proc/self/mountinfo')) return
  for (const path of mountsBelow(directory, await readFile('/proc/self/mountinfo', 'utf8'))) await unmount(path)
}

/** The mount points below a folder, the deepest first. */
export function mountsBelow(directory: string, mountInfo: string): readonly string[] {
  return mountInfo
    .split('\n')
    .map((line) => (line.split(' ')[4] ?? '').replace(/\\([0-7]{3})/g, (_, octal) => byteOf(octal)))
    .filter((path) => path.startsWith(`${directory}/`))
    .toReversed()
}

/** The kernel writes blanks in paths as `\040`. */
function byteOf(octal: string): string {
  return String.fromCharCode(Number.parseInt(octal, 8))
}

/** Lazily: what still has a file open there keeps it until it ends. */
function unmount(path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('umount', ['-l', path], { stdio: 'ignore' })
    child.on('error', reject)
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`umount ${path} failed with code ${code}`))))
  })
}
