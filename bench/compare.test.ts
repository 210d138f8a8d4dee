import { expect, test } from 'vitest'
import { compare, type Observation, withoutOutdone } from './compare.ts'
import type { Programs } from './prepare.ts'
import type { Contestant, FigureName, Samples, Setting } from './scenario.ts'

const ROW = 'A3 restart with 100000 objects'
const setting: Setting = {
  // Nothing is started here.
  programs: { upstream: () => '', kwok: '', kwokStages: [], generator: '', informers: '' } satisfies Programs,
  ...{ quick: false, alone: false, cores: [], say: () => undefined },
}

function contestant(name: string, round: () => Samples, more: Partial<Contestant> = {}): Contestant {
  return { name, tables: ['chosen'], round: async () => round(), ...more }
}

function observed(side: string, figure: FigureName, value: number, row = ROW): Observation {
  return { row, table: 'chosen', figure, side, value }
}

test('rounds go forwards and backwards through the contestants, each as often as it may', async () => {
  const order: string[] = []
  const taking = (name: string, roundsMax?: number) => {
    const round = () => {
      order.push(name)
      return { [name]: { ms: 1 } }
    }
    return contestant(name, round, { roundsMax })
  }
  const contestants = async () => [taking('a'), taking('b', 1), taking('c')]
  const { observations } = await compare({ name: 's', about: '', contestants }, setting, 3)
  expect(order.join('')).toBe('abccaac')
  expect(observations.filter(({ side }) => side === 'b')).toHaveLength(1)
})

test('what was the best in nothing that is judged goes no further; who is judged always does', () => {
  const [own, quick, slow] = ['t8s', 'quick', 'slow'].map((name) => contestant(name, () => ({})))
  if (!own || !quick || !slow) throw new Error('three were made')
  const seen = [observed('t8s', 'ms', 900), observed('quick', 'ms', 100), observed('slow', 'ms', 101)]
  expect(withoutOutdone([own, quick, slow], seen)).toEqual([own, quick])
  const beside = { ...slow, tables: ['HTTP/1.1' as const] }
  expect(withoutOutdone([own, quick, beside], seen)).toEqual([own, quick, beside])
})

test('who is judged and is the best of all outdoes no setup of the other side', () => {
  const own = contestant('t8s', () => ({}))
  const all = [own, contestant('quick', () => ({})), { ...own, tables: ['HTTP/2.0' as const] }]
  expect(
    withoutOutdone(all, [observed('t8s', 'ms', 1), observed('quick', 'ms', 2), observed('slow', 'ms', 3)]),
  ).toEqual(all)
})

test('where nothing is judged, everybody goes on', () => {
  const all = ['t8s', 'quick', 'slow'].map((name) => contestant(name, () => ({})))
  const seen = ['t8s', 'quick', 'slow'].map((name, index) => observed(name, 'ms', index, 'K1 kubectl get nodes'))
  expect(withoutOutdone(all, seen)).toEqual(all)
})
