/** The texts of the files a node makes for a pod: `/etc/hosts` and `/etc/resolv.conf`. Pure. */

import type { Pod } from '../apis/core/types.gen.ts'

/** Characters a Linux host name may have. */
const HOSTNAME_LENGTH_MAX = 63
/** What resolvers of the C library look at, and what Kubernetes allows. */
const NAMESERVERS_MAX = 3
const SEARCHES_MAX = 32

export interface DnsFacts {
  readonly clusterDns: string
  readonly domain: string
  /** The machine's own resolv.conf. */
  readonly nodeResolvConf: string
}

/** What a process of the pod calls its machine. */
export function hostnameOf(pod: Pod, domain: string): string {
  if (pod.spec?.hostnameOverride) return pod.spec.hostnameOverride
  return (pod.spec?.setHostnameAsFQDN ? fullyQualifiedName(pod, domain) : undefined) ?? shortHostname(pod)
}

function shortHostname({ metadata, spec }: Pod): string {
  return (spec?.hostname || metadata.name || '').slice(0, HOSTNAME_LENGTH_MAX).replace(/[-.]+$/, '')
}

/** `name.subdomain.namespace.svc.domain`, for pods with a subdomain. */
function fullyQualifiedName(pod: Pod, domain: string): string | undefined {
  const { subdomain } = pod.spec ?? {}
  return subdomain ? `${shortHostname(pod)}.${subdomain}.${pod.metadata.namespace}.svc.${domain}` : undefined
}

const HOSTS_COMMON = [
  '127.0.0.1\tlocalhost',
  '::1\tlocalhost ip6-localhost ip6-loopback',
  'fe00::0\tip6-localnet',
  'fe00::0\tip6-mcastprefix',
  'fe00::1\tip6-allnodes',
  'fe00::2\tip6-allrouters',
]

export function hostsFile(pod: Pod, ips: readonly string[], domain: string, nodeHosts: string): string {
  const aliases = (pod.spec?.hostAliases ?? []).map(({ ip, hostnames }) => [ip, ...(hostnames ?? [])].join('\t'))
  const block = aliases.length > 0 ? `\n# Entries added by HostAliases.\n${aliases.join('\n')}\n` : ''
  if (pod.spec?.hostNetwork) return `# Kubernetes-managed hosts file (host network).\n${nodeHosts}${block}`
  const qualified = fullyQualifiedName(pod, domain)
  const names = [...(qualified ? [qualified] : []), pod.spec?.hostnameOverride || shortHostname(pod)].join('\t')
  const own = ips.map((ip) => `${ip}\t${names}`)
  return `${['# Kubernetes-managed hosts file.', ...HOSTS_COMMON, ...own].join('\n')}\n${block}`
}

interface Resolver {
  readonly nameservers: readonly string[]
  readonly searches: readonly string[]
  readonly options: readonly string[]
}

export function resolvConf(pod: Pod, facts: DnsFacts): string {
  const base = baseResolver(pod, facts)
  const { nameservers = [], searches = [], options = [] } = pod.spec?.dnsConfig ?? {}
  const added = options.map(({ name, value }) => (value === undefined ? (name ?? '') : `${name}:${value}`))
  const names = new Set(added.map((option) => option.split(':')[0]))
  const merged: Resolver = {
    nameservers: [...new Set([...base.nameservers, ...nameservers])].slice(0, NAMESERVERS_MAX),
    searches: [...new Set([...base.searches, ...searches])].slice(0, SEARCHES_MAX),
    options: [...base.options.filter((option) => !names.has(option.split(':')[0])), ...added],
  }
  const lines = [
    ...(merged.searches.length > 0 ? [`search ${merged.searches.join(' ')}`] : []),
    ...merged.nameservers.map((address) => `nameserver ${address}`),
    ...(merged.options.length > 0 ? [`options ${merged.options.join(' ')}`] : []),
  ]
  return `${lines.join('\n')}\n`
}

function baseResolver({ metadata, spec }: Pod, { clusterDns, domain, nodeResolvConf }: DnsFacts): Resolver {
  const node = parseResolvConf(nodeResolvConf)
  const policy = spec?.dnsPolicy ?? 'ClusterFirst'
  if (policy === 'None') return { nameservers: [], searches: [], options: [] }
  if (policy === 'Default' || (policy === 'ClusterFirst' && spec?.hostNetwork)) return node
  const searches = [`${metadata.namespace}.svc.${domain}`, `svc.${domain}`, domain, ...node.searches]
  return { nameservers: [clusterDns], searches, options: ['ndots:5'] }
}

/** Loopback resolvers of the machine are of no use inside a pod. */
function parseResolvConf(text: string): Resolver {
  const words = text.split('\n').map((line) => line.trim().split(/\s+/))
  const of = (keyword: string) => words.filter(([first]) => first === keyword).map((line) => line.slice(1))
  return {
    nameservers: of('nameserver')
      .flat()
      .filter((address) => !address.startsWith('127.')),
    searches:
      of('search')
        .at(-1)
        ?.filter((name) => name !== '.') ?? [],
    options: of('options').flat(),
  }
}
