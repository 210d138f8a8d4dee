import { expect, test } from 'vitest'
import { findings, row, updateFindings } from '../../../test/support/findings.ts'
import { runtimeClasses } from './runtime-class.ts'

const metadata = { name: 'sandboxed' }

test('a handler is a DNS label and stays', () => {
  expect(findings(runtimeClasses, { metadata, handler: 'runsc' })).toEqual([])
  expect(updateFindings(runtimeClasses, { metadata, handler: 'kata' }, { metadata, handler: 'runsc' })).toEqual([
    'FieldValueInvalid handler: Invalid value: "kata": field is immutable',
  ])
})

test('an overhead is of what containers use', () => {
  const overhead = { podFixed: { pods: '1' } }
  expect(findings(runtimeClasses, { metadata, handler: 'runsc', overhead })).toEqual([
    'FieldValueInvalid overhead.limits[pods]: Invalid value: "pods": must be a standard resource for containers',
  ])
})

test('a toleration stands once', () => {
  const toleration = { key: 'a', operator: 'Exists' }
  const scheduling = { tolerations: [toleration, toleration] }
  expect(findings(runtimeClasses, { metadata, handler: 'runsc', scheduling })).toEqual([
    'FieldValueDuplicate scheduling.tolerations[1]: Duplicate value: {"key":"a","operator":"Exists"}',
  ])
})

test('a row shows the handler', () => {
  expect(row(runtimeClasses, { metadata, handler: 'runsc' })).toMatchObject({ Name: 'sandboxed', Handler: 'runsc' })
})
