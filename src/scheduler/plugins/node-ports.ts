/** A port of a node is used once. An address of 0.0.0.0 is every address. */

import { type Plugin, reject } from '../framework.ts'
import type { HostPort } from '../pod-info.ts'
import type { NodeInfo } from '../snapshot.ts'

const EVERY_ADDRESS = '0.0.0.0'

export const nodePorts: Plugin = {
  name: 'NodePorts',
  isLocal: true,
  prepare(pod) {
    if (pod.hostPorts.length === 0) return {}
    return {
      filter: (node) =>
        taken(pod.hostPorts, node).length > 0
          ? reject("node(s) didn't have free ports for the requested pod ports", true)
          : undefined,
      explain: (node) =>
        taken(pod.hostPorts, node).map(({ port, protocol }) => ({ text: `hostPort ${port}/${protocol} is taken` })),
    }
  },
  wakes(pod, event) {
    if (event.resource === 'nodes') return true
    return (
      event.resource === 'pods' &&
      event.action === 'delete' &&
      pod.hostPorts.some((port) => clashes(port, event.pod.hostPorts))
    )
  },
}

function taken(wanted: readonly HostPort[], node: NodeInfo): readonly HostPort[] {
  return wanted.filter((port) => node.pods.some(({ hostPorts }) => clashes(port, hostPorts)))
}

function clashes(wanted: HostPort, used: readonly HostPort[]): boolean {
  return used.some(
    ({ protocol, ip, port }) =>
      port === wanted.port &&
      protocol === wanted.protocol &&
      (ip === wanted.ip || ip === EVERY_ADDRESS || wanted.ip === EVERY_ADDRESS),
  )
}
