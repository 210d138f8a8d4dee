/** The columns of `kubectl get pods`. What STATUS says is decided in `status-text.ts`. */

import { ageColumn, nameColumn, textColumn, wideColumn } from '../../columns.ts'
import type { Column } from '../../definition.ts'
import type { Pod } from '../types.gen.ts'
import { podCondition } from './pod-status.ts'
import { podStatusText, restartsCell } from './status-text.ts'

const NONE = '<none>'

export const podColumns: readonly Column<Pod>[] = [
  nameColumn,
  textColumn('Ready', (pod) => {
    const { ready, total } = podStatusText(pod)
    return `${ready}/${total}`
  }),
  textColumn('Status', (pod) => podStatusText(pod).text),
  textColumn('Restarts', (pod) => restartsCell(podStatusText(pod))),
  ageColumn,
  wideColumn('IP', (pod) => pod.status?.podIPs?.[0]?.ip || NONE),
  wideColumn('Node', (pod) => pod.spec?.nodeName || NONE),
  wideColumn('Nominated Node', (pod) => pod.status?.nominatedNodeName || NONE),
  wideColumn('Readiness Gates', readinessGates),
]

function readinessGates(pod: Pod): string {
  const gates = pod.spec?.readinessGates ?? []
  if (gates.length === 0) return NONE
  const open = gates.filter((gate) => podCondition(pod, gate.conditionType)?.status === 'True')
  return `${open.length}/${gates.length}`
}
