import { expect, test } from 'vitest'
import { findings, row, updateFindings } from '../../../test/support/findings.ts'
import { storageClasses } from './storage-class.ts'

const metadata = { name: 'fast', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } }
const storageClass = { metadata, provisioner: 'example.com/disk' }

test('a class deletes and binds at once unless told otherwise', () => {
  expect(storageClasses.default(storageClass)).toMatchObject({
    reclaimPolicy: 'Delete',
    volumeBindingMode: 'Immediate',
  })
  expect(findings(storageClasses, storageClass)).toEqual([])
})

test('a class has a provisioner and a policy that provisioners know', () => {
  expect(findings(storageClasses, { metadata, reclaimPolicy: 'Recycle' })).toEqual([
    'FieldValueRequired provisioner: Required value',
    'FieldValueNotSupported reclaimPolicy: Unsupported value: "Recycle": supported values: "Delete", "Retain"',
  ])
})

test('what a class does never changes', () => {
  const changed = { ...storageClass, parameters: { type: 'ssd' }, volumeBindingMode: 'WaitForFirstConsumer' }
  expect(updateFindings(storageClasses, changed, storageClass)).toEqual([
    'FieldValueInvalid parameters: Invalid value: {"type":"ssd"}: field is immutable',
    'FieldValueInvalid volumeBindingMode: Invalid value: "WaitForFirstConsumer": field is immutable',
  ])
})

test('a row marks the default class', () => {
  expect(row(storageClasses, storageClass)).toMatchObject({ Name: 'fast (default)', AllowVolumeExpansion: false })
})
