/** A stretch of a cluster's life on t8s and on the other side, set up in several ways and by both protocols. */

import type { Client } from './generator.ts'
import type { Contestant, Samples, Scenario, ScenarioParts, Setting } from './scenario.ts'
import { anchor, type TuningName } from './sides/anchor.ts'
import type { Protocol, Side, SideWish } from './sides/side.ts'
import { t8s } from './sides/t8s.ts'

interface SideScenario extends Pick<Scenario, 'name' | 'about' | 'roundsMax'> {
  readonly wish: SideWish
  /** How the other side is set up; the last is the best as a rule. Absent: in every way that differs for the API. */
  readonly tunings?: readonly TuningName[]
  /** Measured by HTTP/1.1 and by HTTP/2 on both sides, besides by what client-go chooses. */
  readonly byProtocol?: boolean
  /** Takes too long otherwise. */
  readonly fullOnly?: boolean
  /** No goal hangs on the other side: it is shown once. */
  readonly othersOnce?: boolean
  /** The side is new, and stopped afterwards. */
  run(parts: ScenarioParts): Promise<Samples>
}

/** Where only the API runs, `default` differs from `tuned` in how many workers delete a collection. */
export const API_TUNINGS: readonly TuningName[] = ['tuned', 'tuned, GOGC=400']
/** The one that is the best as a rule, where nothing is judged against the other side. */
export const BEST_TUNING: readonly TuningName[] = ['tuned, GOGC=400']

/** Of the protocol that client-go does not choose: nothing is judged by it. */
const BESIDE_ROUNDS_MAX = 1

export function onSides(scenario: SideScenario): Scenario {
  const { name, about, roundsMax } = scenario
  return { name, about, roundsMax, contestants: async (setting) => contestantsOf(scenario, setting) }
}

/** Those that are compared: t8s, which is judged, and the other side in these setups. */
export function sidesOf({ alone, quick, programs }: Setting, tunings: readonly TuningName[]): readonly Side[] {
  const wanted = alone ? [] : quick ? tunings.slice(-1) : tunings
  return [t8s, ...wanted.map((tuning) => anchor(tuning, programs))]
}

/** As client-go asks each side. */
export function clientOf(side: Side): Client {
  return { offersHttp2: true, protocol: side.chosen }
}

function contestantsOf(scenario: SideScenario, setting: Setting): readonly Contestant[] {
  const { wish, tunings = API_TUNINGS, byProtocol = false, fullOnly = false, othersOnce = false } = scenario
  if (fullOnly && setting.quick) return []
  const sides = sidesOf(setting, tunings)
  const contestant = (side: Side, protocol: Protocol): Contestant => ({
    name: side.name,
    roundsMax: protocol !== side.chosen ? BESIDE_ROUNDS_MAX : othersOnce && side !== t8s ? 1 : undefined,
    tables: [...(protocol === side.chosen ? (['chosen'] as const) : []), ...(byProtocol ? [protocol] : [])],
    async round(number) {
      await using running = await side.start({ ...wish, http2: protocol === 'HTTP/2.0' })
      const client = protocol === side.chosen ? clientOf(side) : { protocol, offersHttp2: protocol === 'HTTP/2.0' }
      const { programs, quick } = setting
      return await scenario.run({
        side: running,
        programs,
        quick,
        beside: protocol !== side.chosen,
        isFirst: number === 0,
        client,
      })
    },
  })
  const best = sides.at(-1) ?? t8s
  const beside = byProtocol ? [...new Set([t8s, best])] : []
  return [
    ...sides.map((side) => contestant(side, side.chosen)),
    ...beside.map((side) => contestant(side, side.chosen === 'HTTP/2.0' ? 'HTTP/1.1' : 'HTTP/2.0')),
  ]
}
