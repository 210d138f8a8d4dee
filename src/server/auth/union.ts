/** Several authorizers as one: the first with an opinion decides. It answers at once as long as all before it did. */

import {
  type Attributes,
  type Authorizer,
  type Decision,
  NO_OPINION,
  type RuleResolver,
  type Rules,
} from './authorizer.ts'
import { aggregated } from './texts.ts'

export function unionOf(authorizers: readonly Authorizer[]): Authorizer {
  return { authorize: (attributes, signal) => decide(authorizers, 0, { attributes, signal }, []) }
}

interface Question {
  readonly attributes: Attributes
  readonly signal: AbortSignal | undefined
}

/** Those from `start` on; `undecided`: what the others said. */
function decide(
  authorizers: readonly Authorizer[],
  start: number,
  question: Question,
  undecided: Decision[],
): Decision | Promise<Decision> {
  for (let index = start; index < authorizers.length; index++) {
    const decision = authorizers[index]?.authorize(question.attributes, question.signal) ?? NO_OPINION
    if (decision instanceof Promise)
      return decision.then((late) => {
        if (late.verdict !== 'no-opinion') return late
        undecided.push(late)
        return decide(authorizers, index + 1, question, undecided)
      })
    if (decision.verdict !== 'no-opinion') return decision
    undecided.push(decision)
  }
  return summary(undecided)
}

function summary(undecided: readonly Decision[]): Decision {
  const reasons = undecided.map(({ reason }) => reason).filter((reason) => reason !== '')
  const errors = undecided.map(({ error = '' }) => error).filter((error) => error !== '')
  return { verdict: 'no-opinion', reason: reasons.join('\n'), ...(errors.length > 0 && { error: aggregated(errors) }) }
}

export function unionOfRules(resolvers: readonly RuleResolver[]): RuleResolver {
  return {
    async rulesOf(user, namespace) {
      const found = await Promise.all(resolvers.map((resolver) => resolver.rulesOf(user, namespace)))
      const errors = found.map(({ error }) => error).filter((error) => error !== '')
      return {
        resourceRules: found.flatMap(({ resourceRules }) => resourceRules),
        nonResourceRules: found.flatMap(({ nonResourceRules }) => nonResourceRules),
        incomplete: found.some(({ incomplete }) => incomplete),
        error: aggregated(errors),
      } satisfies Rules
    },
  }
}
