import { expect, test } from 'vitest'
import { deployments } from '../../apis/apps/deployment.ts'
import type { ApiRequest } from '../../machinery/wire/message.ts'
import { objectOfBody } from './body.ts'

function refusal(text: string): unknown {
  const request = { headers: {}, body: { type: 'bytes', bytes: Buffer.from(text) } } as unknown as ApiRequest
  try {
    return objectOfBody(request, { kind: deployments, fieldValidation: 'Strict', warn: () => {} })
  } catch (error) {
    return error instanceof Error ? error.message.replace(/^.*cannot be handled as a Deployment: /, '') : error
  }
}

for (const [text, expected] of [
  ['{"spec":{"new":1,"replicas":2,"replicas":3}}', 'unknown field "spec.new", duplicate field "spec.replicas"'],
  ['{"spec":{"replicas":2,"replicas":3,"new":1}}', 'duplicate field "spec.replicas", unknown field "spec.new"'],
  ['{"spec":{"replicas":2,"replicas":3}}', 'duplicate field "spec.replicas"'],
  ['{"spec":{"new":1}}', 'unknown field "spec.new"'],
] as const) {
  test(`strict validation of ${text} tells its problems as they stand in the text`, () => {
    expect(refusal(text)).toBe(`strict decoding error: ${expected}`)
  })
}
