import { expect, test } from 'vitest'
import { partOf } from './merge-v2.ts'
import { v3FromV2 } from './v3-from-v2.ts'

const PATH = '/apis/example.com/v1/gadgets'
const gadget = { $ref: '#/definitions/Gadget' }
const converted = { $ref: '#/components/schemas/Gadget' }

const document = v3FromV2(
  partOf(
    {
      paths: {
        [PATH]: {
          parameters: [{ $ref: '#/parameters/pretty' }, { $ref: '#/parameters/lost' }],
          post: {
            operationId: 'createGadget',
            ...{ consumes: ['a/b', 'c/d'], produces: ['e/f'], schemes: ['https'] },
            parameters: [
              { in: 'body', name: 'body', required: true, schema: gadget },
              { in: 'query', name: 'dryRun', type: 'string', uniqueItems: true, description: 'tries' },
            ],
            responses: { 200: { description: 'OK', schema: gadget }, 401: { description: 'No' }, 500: 'strange' },
            'x-kubernetes-action': 'post',
          },
          summary: 'nobody knows',
        },
      },
      definitions: {
        Gadget: { type: 'object', properties: { self: { ...gadget, description: 'again' }, all: { items: gadget } } },
      },
      parameters: { pretty: { in: 'query', name: 'pretty', type: 'string' } },
    },
    { group: 'example.com', version: 'v1' },
  ),
)

test('operations have their bodies and parameters where v3 has them', () => {
  expect(document.paths[PATH]).toEqual({
    parameters: [{ in: 'query', name: 'pretty', schema: { type: 'string' } }],
    post: {
      operationId: 'createGadget',
      parameters: [
        { in: 'query', name: 'dryRun', description: 'tries', schema: { type: 'string', uniqueItems: true } },
      ],
      requestBody: { content: { 'a/b': { schema: converted }, 'c/d': { schema: converted } }, required: true },
      responses: {
        200: { description: 'OK', content: { 'e/f': { schema: converted } } },
        401: { description: 'No' },
        500: {},
      },
      'x-kubernetes-action': 'post',
    },
  })
})

test('definitions are schemas, and references stand alone', () => {
  expect(document.components).toMatchObject({
    schemas: {
      Gadget: {
        type: 'object',
        properties: { self: { description: 'again', allOf: [converted] }, all: { items: converted } },
      },
    },
  })
})
