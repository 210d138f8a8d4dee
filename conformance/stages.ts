/**
 * The conformance tests in the order in which a cluster learns to pass them. `stages/<name>.txt` lists a stage's tests by
 * their full names; the stages share none and hold all of them.
 */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Stage {
  readonly name: string
  readonly about: string
  /** The nodes that its tests need. */
  readonly nodes: number
  readonly tests: readonly string[]
}

const FOLDER = join(import.meta.dirname, 'stages')

const ABOUT: readonly (Omit<Stage, 'tests'> & { readonly file: string })[] = [
  { name: 's1a', file: 's1a-api', nodes: 0, about: 'the API server alone' },
  { name: 's1b', file: 's1b-control-loops', nodes: 0, about: 'controllers, without a running pod' },
  { name: 's2', file: 's2-single-pod', nodes: 2, about: 'single pods on nodes' },
  { name: 's3', file: 's3-controllers', nodes: 2, about: 'controllers, with their pods running' },
  { name: 's4', file: 's4-services-dns-proxy', nodes: 2, about: 'Services, DNS and proxies' },
  { name: 's5', file: 's5-volumes', nodes: 2, about: 'volumes' },
  { name: 's6', file: 's6-scheduling', nodes: 2, about: 'scheduling, preemption and taints' },
  { name: 's7', file: 's7-webhooks-aggregator', nodes: 2, about: 'webhooks and API servers that run in pods' },
]

export const STAGES: readonly Stage[] = ABOUT.map(({ file, ...stage }) => ({ ...stage, tests: namesIn(file) }))

/**
 * A few minutes of the tests that need no node: what `npm test` runs. Left out are those that wait for a fixed time.
 */
export function quickTests(): readonly string[] {
  const waiting = new Set(namesIn('waiting'))
  return STAGES.filter(({ nodes }) => nodes === 0).flatMap(({ tests }) => tests.filter((test) => !waiting.has(test)))
}

export function stageOf(test: string): Stage | undefined {
  return STAGES.find(({ tests }) => tests.includes(test))
}

/** An expression that matches these tests and no others. The suite puts words of its own before a name. */
export function focusOn(tests: readonly string[]): string {
  return tests.map((name) => `${name.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')}$`).join('|')
}

function namesIn(file: string): readonly string[] {
  const text = readFileSync(join(FOLDER, `${file}.txt`), 'utf8')
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
}
