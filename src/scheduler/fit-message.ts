/** Why no node fits, in upstream's words: `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) …`. */

import { byCodeUnit } from '../base/group-by.ts'
import type { Rejection } from './framework.ts'

const NO_NODES = 'no nodes available to schedule pods'

export function fitMessage(nodes: number, rejections: readonly Rejection[]): string {
  if (nodes === 0) return NO_NODES
  return `0/${nodes} nodes are available: ${reasonCounts(rejections.flatMap(({ reasons }) => reasons))}.`
}

/** What preemption found, appended to the message above; `reasons` one per node. */
export function withPreemption(message: string, nodes: number, reasons: readonly string[]): string {
  if (message === NO_NODES) return message
  return `${message} ${preemptionText(nodes, reasons)}`
}

function preemptionText(nodes: number, reasons: readonly string[]): string {
  const found = `preemption: 0/${nodes} nodes are available: ${reasonCounts(reasons)}.`
  return `no new claims to deallocate, ${found}`
}

export function withoutPreemption(message: string): string {
  if (message === NO_NODES) return message
  return `${message} no new claims to deallocate, preemption: not eligible due to preemptionPolicy=Never.`
}

function reasonCounts(reasons: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  return [...counts]
    .map(([reason, count]) => `${count} ${reason}`)
    .sort(byCodeUnit)
    .join(', ')
}
