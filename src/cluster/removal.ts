/**
 * Takes away what a cluster made on this machine, whether or not its process still lives: containers, networks,
 * routes, mounts and its folder. Safe to repeat; the folder goes last, so what fails can be tried again.
 */

import { rm } from 'node:fs/promises'
import { removeHostRoutes } from '../network/pods/host-routes.ts'
import { namespaceCommands } from '../network/pods/namespace-command.ts'
import { openDockerEngine } from '../node/runtime/docker-engine.ts'
import { removeClusterContainers } from '../node/runtime/docker-nodes.ts'
import { unmountBelow } from '../node/volumes/mounts.ts'
import type { ClusterConfig } from './config.ts'

export async function removeCluster(config: ClusterConfig, usesDocker: boolean): Promise<void> {
  if (usesDocker) {
    await removeContainers(config)
    await removeHostRoutes(namespaceCommands, config.name)
  }
  await removeDirectory(config.directory)
}

/** A folder with what is mounted below it. */
export async function removeDirectory(directory: string): Promise<void> {
  await unmountBelow(directory)
  await rm(directory, { recursive: true, force: true })
}

/** Throws `DockerUnavailable` when the engine does not answer: its containers would be left behind. */
async function removeContainers({ name, dockerSocket }: ClusterConfig): Promise<void> {
  const engine = await openDockerEngine({ host: `unix://${dockerSocket}`, capabilities: [] })
  await removeClusterContainers(engine, name)
}
