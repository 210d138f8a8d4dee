/** What a runtime needs from the node's network. Implemented by `network/pods`, put together in `cluster`. */

export interface PodNetwork {
  /**
   * Gives the sandbox whose process is `pid` an interface and an address of the node's pod CIDR. Idempotent per pod
   * and pid: an adopted sandbox keeps its address.
   */
  attach(pod: PodAttachment): Promise<{ readonly ips: readonly string[] }>
  /** Frees interface and address. Does nothing for an unknown pod. */
  detach(podUid: string): Promise<void>
}

export interface PodAttachment {
  readonly uid: string
  readonly namespace: string
  readonly name: string
  /** Host process id inside the sandbox's network namespace. */
  readonly pid: number
}

/** A logical node's own network namespace, as the runtime made it. */
export interface NodeNamespace {
  readonly nodeName: string
  /** Host process id of the node's sandbox container. */
  readonly pid: number
  /** The node's InternalIP on the cluster's bridge network. */
  readonly ip: string
  /** The host's address on that bridge: where pods reach the API server. */
  readonly gateway: string
  /** That bridge network, as a CIDR. */
  readonly networkCidr: string
}
