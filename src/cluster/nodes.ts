/** The logical nodes of this process: started, stopped and removed by name; one whose sandbox dies is made anew. */

import { join } from 'node:path'
import { nodes } from '../apis/core/node.ts'
import type { EventLane } from '../client/event-lane.ts'
import { isNotFound } from '../machinery/meta/api-error.ts'
import { createNodeFeed, type NodeFeed } from '../node/node-feed.ts'
import type { NodeRuntime } from './config.ts'
import { API_SERVER_NAME, type ControlPlane } from './control-plane.ts'
import { NODES_GROUP, nodeIdentity, SYSTEM } from './identities.ts'
import { type RunningNode, startNode } from './node-parts.ts'
import { type DockerPlaces, type NodePlace, type PlaceParts, simulatedPlace } from './node-place.ts'

export interface NodeSupervisor extends AsyncDisposable {
  /** Makes or adopts the node; resolves when it runs, its `ready` when it has reported so. */
  start(name: string, runtime: NodeRuntime): Promise<RunningNode>
  /** The agent ends; what it started runs on. */
  stop(name: string): Promise<void>
  /** The node, its pods' containers and its object are gone. */
  remove(name: string): Promise<void>
  readonly running: ReadonlyMap<string, RunningNode>
}

export interface NodeSupervisorParts extends PlaceParts {
  readonly controlPlane: ControlPlane
  /** In which events of the nodes are written. */
  readonly lane: EventLane
  /** Called once, before the first Docker node, with the host's address on the network of the nodes. */
  readonly onNetwork: (gateway: string) => Promise<void>
}

export function superviseNodes(parts: NodeSupervisorParts): NodeSupervisor {
  const { log } = parts.environment
  const running = new Map<string, RunningNode>()
  /** Nodes that are being made. */
  const beginning = new Set<Promise<unknown>>()
  let isClosed = false
  let docker: Promise<DockerPlaces> | undefined
  let simulated = 0
  /** Made with the first node: it listens to every pod. */
  let feed: NodeFeed | undefined

  const dockerPlaces = (): Promise<DockerPlaces> => {
    docker ??= openPlaces(parts)
    return docker
  }
  const begin = (name: string, kind: NodeRuntime): Promise<RunningNode> => {
    const begun = make(name, kind)
    beginning.add(begun)
    const done = () => void beginning.delete(begun)
    begun.then(done, done)
    return begun
  }
  const make = async (name: string, kind: NodeRuntime): Promise<RunningNode> => {
    if (isClosed) throw new Error(`node ${name} is not started: the cluster stops`)
    const place =
      kind === 'docker' ? await (await dockerPlaces()).place(name) : simulatedPlace(parts, name, simulated++)
    feed ??= createNodeFeed(parts.informers)
    const node = await inhabit(parts, feed, name, place)
    running.set(name, node)
    void place.ended
      .then(() => replace(name, kind, node))
      .catch((error: unknown) => {
        log.error('a node whose sandbox ended could not be made anew', { node: name, error: String(error) })
      })
    return node
  }
  /** A node that was not stopped but died comes back, as a machine that was switched on again. */
  const replace = async (name: string, kind: NodeRuntime, dead: RunningNode): Promise<void> => {
    if (running.get(name) !== dead) return
    log.warn('the sandbox of a node has ended; the node is made anew', { node: name })
    await stop(name)
    await begin(name, kind)
  }
  const stop = async (name: string): Promise<void> => {
    const node = running.get(name)
    running.delete(name)
    await node?.[Symbol.asyncDispose]()
  }
  return {
    running,
    start: async (name, kind) => running.get(name) ?? (await begin(name, kind)),
    stop,
    async remove(name) {
      await stop(name)
      await (await docker)?.remove(name)
      await forget(parts, name)
    },
    async [Symbol.asyncDispose]() {
      isClosed = true
      await Promise.allSettled(beginning)
      await Promise.all([...running.keys()].map(stop))
      const places = await docker?.catch(() => undefined)
      await places?.[Symbol.asyncDispose]()
    },
  }
}

/** Simulated nodes need nothing of what is loaded here. */
async function openPlaces(parts: NodeSupervisorParts): Promise<DockerPlaces> {
  const { openDockerPlaces } = await import('./docker/places.ts')
  const places = await openDockerPlaces(parts)
  await parts.onNetwork(places.gateway)
  return places
}

/** Starts the agent in its place. */
async function inhabit(
  parts: NodeSupervisorParts,
  feed: NodeFeed,
  name: string,
  place: NodePlace,
): Promise<RunningNode> {
  const { config, environment, informers, lane, controlPlane } = parts
  const identity = nodeIdentity(name)
  const names = [name, '127.0.0.1', place.ip]
  const wish = { name: pairNameOf(name), commonName: identity.name, organizations: [NODES_GROUP], names }
  const { certificates } = controlPlane
  const certificate = await certificates.issue(wish)
  return startNode({
    ...place,
    ...{ config, environment, informers, feed, lane, name },
    client: controlPlane.clientAs(identity),
    directory: join(config.directory, 'nodes', name, 'pods'),
    tls: { ...certificate, clientCa: controlPlane.authority.bundle },
    trustedNames: [API_SERVER_NAME],
    names,
    keep: (pair) => certificates.replace(wish.name, pair),
  })
}

/** Of the files of a node's certificate and key. */
function pairNameOf(node: string): string {
  return `kubelet-${node}`
}

/** Its files, its certificate and its object are gone. */
async function forget({ config, controlPlane }: NodeSupervisorParts, name: string): Promise<void> {
  const { removeDirectory } = await import('./removal.ts')
  await removeDirectory(join(config.directory, 'nodes', name))
  await controlPlane.certificates.remove(pairNameOf(name))
  const client = controlPlane.clientAs(SYSTEM)
  try {
    await client.of(nodes).delete({ name })
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}
