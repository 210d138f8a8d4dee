/** NetworkPolicies: who may talk to the pods that a policy selects, and whom they may talk to. */

import { parseCidr } from '../../base/ip.ts'
import {
  type FieldError,
  FieldPath,
  forbidden,
  invalidValue,
  notSupported,
  required,
} from '../../machinery/meta/field-error.ts'
import { validateLabelSelector } from '../../machinery/meta/labels.ts'
import { isValidPortName } from '../../machinery/meta/names.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { ageColumn, nameColumn, selectorText, textColumn } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { mapField, mapItems, withAbsent } from '../field-defaults.ts'
import { cidrErrors, cidrWarnings, findingErrors, portNumberErrors } from '../field-rules.ts'
import { bumpGeneration, startGeneration } from '../strategy-parts.ts'
import type { IPBlock, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort, NetworkPolicySpec } from './types.gen.ts'

const POLICY_TYPES = ['Ingress', 'Egress']
const PROTOCOLS = ['TCP', 'UDP', 'SCTP']

export const networkPolicies = defineResource<NetworkPolicy>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'NetworkPolicy',
  resource: 'networkpolicies',
  shortNames: ['netpol'],
  scope: 'Namespaced',
  schema: builtinSchema('networking.v1.NetworkPolicy'),
  default: (object) => ({ ...object, spec: defaultSpec(object.spec ?? {}) }),
  prepareForCreate: startGeneration,
  prepareForUpdate: (object, previous) => bumpGeneration(object, previous),
  validate: validateNetworkPolicy,
  warnings: ({ spec }) =>
    peersOf(spec).flatMap(({ peer, path }) => (peer.ipBlock ? blockWarnings(peer.ipBlock, path.child('ipBlock')) : [])),
  columns: [
    nameColumn,
    textColumn('Pod-Selector', ({ spec }: NetworkPolicy) => selectorText(spec.podSelector)),
    ageColumn,
  ],
})

function defaultSpec(spec: NetworkPolicySpec): NetworkPolicySpec {
  const withProtocols = <T extends { readonly ports?: readonly NetworkPolicyPort[] | undefined }>(rule: T): T =>
    mapField(rule, 'ports', (ports) => mapItems(ports, (port) => withAbsent(port, { protocol: 'TCP' })))
  const ingress = mapField(spec, 'ingress', (rules) => mapItems(rules, withProtocols))
  const filled = mapField(ingress, 'egress', (rules) => mapItems(rules, withProtocols))
  if ((spec.policyTypes ?? []).length > 0) return filled
  return { ...filled, policyTypes: (spec.egress ?? []).length > 0 ? ['Ingress', 'Egress'] : ['Ingress'] }
}

const specPath = new FieldPath('spec')

/** Both directions alike: the rules, the peers and ports of each, with where they are. */
function directions({ ingress = [], egress = [] }: NetworkPolicySpec) {
  return [
    ...ingress.map((rule, index) => ({
      ports: rule.ports ?? [],
      peers: rule.from ?? [],
      path: specPath.child('ingress').index(index),
      side: 'from',
    })),
    ...egress.map((rule, index) => ({
      ports: rule.ports ?? [],
      peers: rule.to ?? [],
      path: specPath.child('egress').index(index),
      side: 'to',
    })),
  ]
}

function peersOf(spec: NetworkPolicySpec) {
  return directions(spec).flatMap(({ peers, path, side }) =>
    peers.map((peer, index) => ({ peer, path: path.child(side).index(index) })),
  )
}

function validateNetworkPolicy({ spec }: NetworkPolicy): readonly FieldError[] {
  return [
    ...validateLabelSelector(spec.podSelector, specPath.child('podSelector')),
    ...directions(spec).flatMap(({ ports, peers, path, side }) => [
      ...ports.flatMap((port, index) => portErrors(port, path.child('ports').index(index))),
      ...peers.flatMap((peer, index) => peerErrors(peer, path.child(side).index(index))),
    ]),
    ...policyTypesErrors(spec.policyTypes ?? [], specPath.child('policyTypes')),
  ]
}

function policyTypesErrors(types: readonly string[], path: FieldPath): readonly FieldError[] {
  if (types.length > POLICY_TYPES.length)
    return [invalidValue(path, types, 'may not specify more than two policyTypes')]
  return types.flatMap((type, index) =>
    POLICY_TYPES.includes(type) ? [] : [notSupported(path.index(index), type, POLICY_TYPES)],
  )
}

function portErrors({ protocol, port, endPort }: NetworkPolicyPort, path: FieldPath): readonly FieldError[] {
  const [portPath, endPath] = [path.child('port'), path.child('endPort')]
  const errors: FieldError[] = []
  if (protocol !== undefined && !PROTOCOLS.includes(protocol))
    errors.push(notSupported(path.child('protocol'), protocol, PROTOCOLS))
  if (typeof port === 'number') {
    errors.push(...portNumberErrors(portPath, port))
    if (endPort === undefined) return errors
    if (endPort < port) errors.push(invalidValue(endPath, port, 'must be greater than or equal to `port`'))
    return [...errors, ...portNumberErrors(endPath, endPort)]
  }
  if (endPort !== undefined) {
    const detail = `may not be specified when \`port\` is ${port === undefined ? 'not specified' : 'non-numeric'}`
    errors.push(invalidValue(endPath, endPort, detail))
  }
  return port === undefined ? errors : [...errors, ...findingErrors(portPath, port, isValidPortName(port))]
}

function peerErrors(peer: NetworkPolicyPeer, path: FieldPath): readonly FieldError[] {
  const { podSelector, namespaceSelector, ipBlock } = peer
  const errors = [
    ...validateLabelSelector(podSelector, path.child('podSelector')),
    ...validateLabelSelector(namespaceSelector, path.child('namespaceSelector')),
    ...(ipBlock ? blockErrors(ipBlock, path.child('ipBlock')) : []),
  ]
  if (!podSelector && !namespaceSelector && !ipBlock) return [...errors, required(path, 'must specify a peer')]
  if (!ipBlock || (!podSelector && !namespaceSelector)) return errors
  return [...errors, forbidden(path, 'may not specify both ipBlock and another peer')]
}

function blockErrors({ cidr, except = [] }: IPBlock, path: FieldPath): readonly FieldError[] {
  if (!cidr) return [required(path.child('cidr'))]
  const errors = cidrErrors(path.child('cidr'), cidr)
  const block = parseCidr(cidr)
  if (!block) return errors
  for (const [index, text] of except.entries()) {
    const place = path.child('except').index(index)
    errors.push(...cidrErrors(place, text))
    const part = parseCidr(text)
    if (!part) continue
    const bits = BigInt((block.family === 4 ? 32 : 128) - block.prefixLength)
    const isInside = part.family === block.family && part.base >> bits === block.base >> bits
    if (!isInside || part.prefixLength <= block.prefixLength)
      errors.push(invalidValue(place, text, 'must be a strict subset of `cidr`'))
  }
  return errors
}

function blockWarnings({ cidr, except = [] }: IPBlock, path: FieldPath): readonly string[] {
  return [
    ...cidrWarnings(path.child('cidr'), cidr),
    ...except.flatMap((text, index) => cidrWarnings(path.child('except').index(index), text)),
  ]
}
