import { describe, expect, test } from 'vitest'
import { parseProperty } from '../src/apis/definition-facts.ts'
import { readFacts } from './facts.ts'
import { staleFiles } from './generate.ts'
import { presenceOf } from './presence.ts'

test('the generated files are what the facts say: run `npm run gen`', () => {
  expect(staleFiles()).toEqual([])
})

describe('facts', () => {
  const { messages } = readFacts()

  test('a property reads as its type and attributes', () => {
    expect(parseProperty('ports', '[]@core.v1.ServicePort;list=map(port,protocol);patch=merge(port)')).toEqual({
      name: 'ports',
      required: false,
      type: {
        kind: 'list',
        element: { kind: 'reference', definition: 'core.v1.ServicePort', attributes: {} },
        attributes: {
          listType: 'map',
          listMapKeys: ['port', 'protocol'],
          patchStrategy: 'merge',
          patchMergeKey: 'port',
        },
      },
    })
    expect(parseProperty('modes!', '[]string<enum=A|"">;list=atomic')).toMatchObject({
      required: true,
      type: { element: { kind: 'scalar', name: 'string', attributes: { enum: ['A', ''] } } },
    })
  })

  test.each(['strng', 'string;colour=red', '[]string;list=odd', 'string;map=odd'])('%s is refused', (text) => {
    expect(() => parseProperty('x', text)).toThrow('in the facts')
  })

  test('embedded structs are part of the message, structs are always written', () => {
    const pod = presenceOf(messages, 'core.v1.Pod')
    expect(pod.get('status')).toEqual({ always: true, pointer: false })
    expect(presenceOf(messages, 'core.v1.Volume').get('emptyDir')).toEqual({ always: false, pointer: true })
    expect(presenceOf(messages, 'meta.v1.ObjectMeta').get('creationTimestamp')).toEqual({
      always: false,
      pointer: false,
    })
  })
})
