/** The columns of `kubectl get services`. */

import { ageColumn, labelsText, NONE, nameColumn, textColumn, wideColumn } from '../../columns.ts'
import type { Column } from '../../definition.ts'
import type { Service, ServicePort } from '../types.gen.ts'

export const serviceColumns: readonly Column<Service>[] = [
  nameColumn,
  textColumn('Type', ({ spec }) => spec.type ?? ''),
  textColumn('Cluster-IP', ({ spec }) => spec.clusterIPs?.[0] ?? NONE),
  textColumn('External-IP', externalIpText),
  textColumn('Port(s)', ({ spec }) => (spec.ports ?? []).map(portText).join(',') || NONE),
  ageColumn,
  wideColumn('Selector', ({ spec }) => labelsText(spec.selector)),
]

function portText({ port, nodePort, protocol = 'TCP' }: ServicePort): string {
  return nodePort ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`
}

function externalIpText({ spec, status }: Service): string {
  const { externalIPs = [] } = spec
  switch (spec.type) {
    case 'ClusterIP':
    case 'NodePort':
      return externalIPs.join(',') || NONE
    case 'LoadBalancer': {
      const entries = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || '')
      const balancers = [...new Set(entries.filter((entry) => entry !== ''))].sort()
      return [...balancers, ...externalIPs].join(',') || '<pending>'
    }
    case 'ExternalName':
      return spec.externalName ?? ''
    default:
      return '<unknown>'
  }
}
