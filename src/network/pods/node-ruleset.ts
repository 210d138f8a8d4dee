/** Pure: the nftables rules that every node has, whatever services there are. */

export interface NodeRules {
  readonly podCidr: string
  readonly clusterPodCidr: string
  readonly serviceCidr: string
  /** The nodes' own network. */
  readonly networkCidr: string
}

const TABLE = 'ip t8s-node'

/**
 * Pods leave the cluster under their node's address and keep their own within it. A packet that is still addressed to
 * the service range when it is about to leave belongs to no service, and its sender hears so at once. Loopback
 * addresses cannot be reached from outside, although hostPorts need them to be routable.
 */
export function nodeRuleset({ podCidr, clusterPodCidr, serviceCidr, networkCidr }: NodeRules): string {
  const inside = `{ ${clusterPodCidr}, ${networkCidr}, 224.0.0.0/4 }`
  const unclaimed = [
    // A reset, because an ICMP error that comes back while `connect` still holds its socket only counts as a hint.
    `ip daddr ${serviceCidr} meta l4proto tcp reject with tcp reset`,
    `ip daddr ${serviceCidr} reject with icmp type port-unreachable`,
  ].join('\n    ')
  return `add table ${TABLE}
delete table ${TABLE}
table ${TABLE} {
  chain postrouting {
    type nat hook postrouting priority srcnat + 10; policy accept;
    ip saddr ${podCidr} ip daddr != ${inside} masquerade
  }
  chain input {
    type filter hook input priority filter; policy accept;
    ip saddr != 127.0.0.0/8 ip daddr 127.0.0.0/8 ct state new drop
  }
  chain forward {
    type filter hook forward priority filter + 10; policy accept;
    ${unclaimed}
  }
  chain output {
    type filter hook output priority filter + 10; policy accept;
    ${unclaimed}
  }
}
`
}
