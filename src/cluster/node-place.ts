/** Where logical nodes live: sandboxes on Docker (`docker/places.ts`), or nothing but an address. */

import { nodes } from '../apis/core/node.ts'
import { addressAt, type Cidr } from '../base/ip.ts'
import type { Informers } from '../client/informers.ts'
import { createAddressNetwork } from '../network/pods/pod-network.ts'
import type { ContainerRuntime } from '../node/runtime/runtime.ts'
import { createSimulatedRuntime } from '../node/runtime/simulated-runtime.ts'
import type { ClusterConfig } from './config.ts'
import type { ServiceNetwork } from './docker/services.ts'
import type { Environment } from './environment.ts'

export interface NodePlace {
  readonly runtime: ContainerRuntime
  readonly ip: string
  /** False: its containers are simulated, and need no files. */
  readonly hasProcesses: boolean
  /** Resolves when the node's network carries pods. */
  readonly networkReady: (signal: AbortSignal) => Promise<void>
  /** Resolves when the place is gone, with whatever ran in it. */
  readonly ended: Promise<void>
}

export interface PlaceParts {
  readonly config: ClusterConfig
  readonly environment: Environment
  readonly informers: Informers
  /** Made with the first node on Docker. */
  readonly services: () => Promise<ServiceNetwork>
}

/** The cluster's side of one Docker Engine. */
export interface DockerPlaces extends AsyncDisposable {
  /** The host's address on the cluster's network. */
  readonly gateway: string
  /** Makes the node's sandbox, or adopts the one that is there. */
  place(name: string): Promise<NodePlace>
  remove(name: string): Promise<void>
}

/** Where simulated nodes say they are, 198.18.0.0/15: 131,072 addresses for benchmarks, which no network routes. */
const SIMULATED_ADDRESSES: Cidr = { family: 4, base: 0xc612_0000n, prefixLength: 15 }

export function simulatedPlace({ environment, informers }: PlaceParts, name: string, index: number): NodePlace {
  const { clock, random } = environment
  const informer = informers.of(nodes)
  const podCidr = () => informer.get({ name })?.spec?.podCIDR
  return {
    runtime: createSimulatedRuntime({ clock, random, network: createAddressNetwork(podCidr) }),
    ip: addressAt(SIMULATED_ADDRESSES, index + 1),
    hasProcesses: false,
    networkReady: (signal) => informer.until(() => Boolean(podCidr()), signal),
    ended: new Promise(() => {}),
  }
}
