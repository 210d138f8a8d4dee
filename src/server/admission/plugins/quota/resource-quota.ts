/**
 * ResourceQuota: nothing is written that a quota of its namespace has no room for. What a write uses is added to the
 * quota's status in the same transaction, so usage and objects cannot part: not when two writes race for the last
 * place, not when a write fails, not when the server dies in between. The quota controller gives back what goes.
 */

import type { QuotaEvaluator, QuotaWrite } from '../../../../apis/core/quota/evaluator.ts'
import { quotaEvaluator } from '../../../../apis/core/quota/evaluators.ts'
import { resourceQuotas } from '../../../../apis/core/resource-quota.ts'
import type { ResourceQuota } from '../../../../apis/core/types.gen.ts'
import { type Awaitable, whenThere } from '../../../../base/awaitable.ts'
import type { Clock } from '../../../../base/clock.ts'
import { createKeyedTurns } from '../../../../base/turns.ts'
import { internalError } from '../../../../machinery/meta/api-error.ts'
import { type AdmissionAttributes, CompanionOutrun, type Write } from '../../../registry/admission-hooks.ts'
import type { AdmissionPlugin, AdmissionView, AdmissionWrites } from '../../plugin.ts'
import { refused } from '../../refusal.ts'
import { checkQuotas } from './check.ts'

/** Rounds of one write against others that change the same quotas: the controller, and other servers. */
const CHARGE_ATTEMPTS_MAX = 20

interface QuotaParts {
  readonly view: AdmissionView
  readonly writes: AdmissionWrites
  readonly clock: Clock
}

interface Charge {
  readonly evaluator: QuotaEvaluator
  readonly attributes: AdmissionAttributes
  readonly subject: QuotaWrite
}

export function resourceQuota(parts: QuotaParts): AdmissionPlugin {
  const turns = createKeyedTurns<string>()
  return {
    name: 'ResourceQuota',
    operations: ['CREATE', 'UPDATE'],
    persist(attributes, write) {
      const charge = chargeOf(attributes)
      if (!charge) return write([])
      return whenThere(quotasOf(parts, attributes), (quotas) =>
        quotas.length === 0 ? write([]) : turns(attributes.namespace, () => persistCharged(parts, charge, write)),
      )
    },
  }
}

/** Undefined: no quota can have anything to do with it. */
function chargeOf(attributes: AdmissionAttributes): Charge | undefined {
  const { definition, namespace, operation, subresource, object, previous } = attributes
  if (namespace === '' || !object || (definition.group === '' && definition.resource === 'namespaces')) return undefined
  const evaluator = quotaEvaluator(definition.group, definition.resource)
  const subject = { operation, subresource, object, previous }
  return evaluator?.handles(subject) ? { evaluator, attributes, subject } : undefined
}

function quotasOf({ view }: QuotaParts, { namespace }: AdmissionAttributes): Awaitable<readonly ResourceQuota[]> {
  return view.list(resourceQuotas, namespace)
}

async function persistCharged<Result>(parts: QuotaParts, charge: Charge, write: Write<Result>): Promise<Result> {
  const { attributes, subject, evaluator } = charge
  for (let attempt = 0; attempt < CHARGE_ATTEMPTS_MAX; attempt++) {
    const quotas = await quotasOf(parts, attributes)
    const verdict = checkQuotas(quotas, subject, evaluator, parts.clock.now())
    if (verdict.result === 'refused') throw refused(attributes, verdict.detail)
    try {
      return await write(
        verdict.charged.map(({ before, after }) => parts.writes.replacing(resourceQuotas, before, after)),
      )
    } catch (error) {
      if (!(error instanceof CompanionOutrun)) throw error
    }
  }
  throw internalError('resource quota evaluation timed out')
}
