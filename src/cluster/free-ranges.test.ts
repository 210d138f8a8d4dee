import { expect, test } from 'vitest'
import { freeRanges } from './free-ranges.ts'

test.each([
  ['the usual ranges are free', {}, [], '10.244.0.0/16', '10.96.0.0/16'],
  ['another cluster has the usual ones', {}, ['10.244.1.0/24', '10.96.0.0/16'], '10.245.0.0/16', '10.97.0.0/16'],
  ['a range is given', { podCidr: '10.96.0.0/16' }, [], '10.96.0.0/16', '10.97.0.0/16'],
  ['other networks have what comes next', {}, ['10.244.0.0/14', '10.248.0.0/13'], '10.243.0.0/16', '10.96.0.0/16'],
] as const)('chooses ranges when %s', (_, given, taken, podCidr, serviceCidr) => {
  expect(freeRanges(given, taken)).toEqual({ podCidr, serviceCidr })
})
