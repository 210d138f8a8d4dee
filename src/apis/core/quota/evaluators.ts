/** The one list of resources that count for more than their number, or under more names than one. */

import { claimEvaluator } from './claim-usage.ts'
import { countEvaluator, type QuotaEvaluator } from './evaluator.ts'
import { podEvaluator } from './pod-usage.ts'
import { resourceClaimEvaluator } from './resource-claim-usage.ts'
import { serviceEvaluator } from './service-usage.ts'

/** Written down nowhere, or never counted: events would fill every quota. */
const IGNORED: ReadonlySet<string> = new Set([
  '/bindings',
  '/componentstatuses',
  '/events',
  'events.k8s.io/events',
  'authentication.k8s.io/tokenreviews',
  'authentication.k8s.io/selfsubjectreviews',
  'authorization.k8s.io/subjectaccessreviews',
  'authorization.k8s.io/selfsubjectaccessreviews',
  'authorization.k8s.io/localsubjectaccessreviews',
  'authorization.k8s.io/selfsubjectrulesreviews',
])

const EVALUATORS: ReadonlyMap<string, QuotaEvaluator> = new Map(
  [
    podEvaluator,
    serviceEvaluator,
    claimEvaluator,
    resourceClaimEvaluator,
    ...['configmaps', 'replicationcontrollers', 'resourcequotas', 'secrets'].map((name) =>
      countEvaluator('', name, name),
    ),
  ].map((evaluator) => [`${evaluator.group}/${evaluator.resource}`, evaluator]),
)

/** Undefined: quotas do not care for the resource. */
export function quotaEvaluator(group: string, resource: string): QuotaEvaluator | undefined {
  const name = `${group}/${resource}`
  if (IGNORED.has(name)) return undefined
  return EVALUATORS.get(name) ?? countEvaluator(group, resource)
}

/** Those that count what a quota's names are about. Names of the form `count/jobs.batch` tell their resource. */
export function evaluatorsOf(names: readonly string[]): readonly QuotaEvaluator[] {
  const special = [...EVALUATORS.values()].filter((evaluator) => evaluator.matchingNames(names).length > 0)
  const counted = names.flatMap((name) => {
    const match = /^count\/([^.]+)(?:\.(.+))?$/.exec(name)
    const [, resource = '', group = ''] = match ?? []
    return match && !EVALUATORS.has(`${group}/${resource}`) ? (quotaEvaluator(group, resource) ?? []) : []
  })
  return [...special, ...counted]
}
