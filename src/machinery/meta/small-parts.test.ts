import { describe, expect, test } from 'vitest'
import { type Condition, findCondition, isConditionTrue, removeCondition, setCondition } from './conditions.ts'
import { fieldErrorsText, invalidValue, rootPath, tooLong, tooMany, tooShort } from './field-error.ts'
import { hasFinalizer, withFinalizer, withoutFinalizer } from './finalizers.ts'
import { intOrStringText, percentOf, scaledValue, validateNonNegativeIntOrPercent } from './int-or-string.ts'
import type { KubeObject } from './object.ts'
import { controllerOf, isControlledBy, ownerReferenceTo } from './owner.ts'
import { parseResourceVersion } from './resource-version.ts'

const path = rootPath.child('spec', 'x')

describe('conditions', () => {
  const now = '2026-01-02T00:00:00Z'
  const ready: Condition = { type: 'Ready', status: 'True', reason: 'Up', lastTransitionTime: '2026-01-01T00:00:00Z' }

  test('a new condition gets the time', () => {
    expect(setCondition(undefined, { type: 'Ready', status: 'True' }, now)).toEqual([
      { type: 'Ready', status: 'True', lastTransitionTime: now },
    ])
  })
  test('the time moves only with the status', () => {
    expect(setCondition([ready], { type: 'Ready', status: 'True', reason: 'Still' }, now)).toEqual([
      { ...ready, reason: 'Still' },
    ])
    expect(setCondition([ready], { type: 'Ready', status: 'False' }, now)).toEqual([
      { ...ready, status: 'False', lastTransitionTime: now },
    ])
  })
  test('nothing changed: the same list', () => {
    const list = [ready]
    expect(setCondition(list, { type: 'Ready', status: 'True', reason: 'Up' }, now)).toBe(list)
    expect(removeCondition(list, 'Other')).toBe(list)
  })
  test('are found and removed', () => {
    expect(findCondition([ready], 'Ready')).toBe(ready)
    expect([isConditionTrue([ready], 'Ready'), isConditionTrue(undefined, 'Ready')]).toEqual([true, false])
    expect(removeCondition([ready], 'Ready')).toEqual([])
  })
})

describe('int or string', () => {
  test.each([
    [3, 10, 'up', 3],
    ['25%', 10, 'up', 3],
    ['25%', 10, 'down', 2],
    ['100%', 7, 'down', 7],
    ['x', 7, 'down', undefined],
    ['5', 7, 'down', undefined],
  ] as const)('%s of %d rounded %s', (value, total, rounding, expected) => {
    expect(scaledValue(value, total, rounding)).toBe(expected)
  })
  test('texts and rules', () => {
    expect([intOrStringText('25%'), intOrStringText(3), percentOf('25%'), percentOf(3)]).toEqual([
      '25%',
      '3',
      25,
      undefined,
    ])
    expect(validateNonNegativeIntOrPercent(-1, path)[0]?.message).toBe(
      'Invalid value: -1: must be greater than or equal to 0',
    )
    expect(validateNonNegativeIntOrPercent('x', path)[0]?.message).toContain('a valid percent string must be')
  })
})

describe('owners', () => {
  const owner: KubeObject = { metadata: { name: 'web', uid: 'u1' } }
  const kind = { apiVersion: 'apps/v1', kind: 'ReplicaSet' }

  test('a controller refers to itself, and is found by UID', () => {
    const reference = ownerReferenceTo(owner, kind)
    const pod: KubeObject = {
      metadata: { name: 'p', ownerReferences: [{ ...reference, controller: false }, reference] },
    }
    expect(reference).toEqual({ ...kind, name: 'web', uid: 'u1', controller: true, blockOwnerDeletion: true })
    expect(controllerOf(pod)).toBe(reference)
    expect(isControlledBy(pod, owner)).toBe(true)
    expect(isControlledBy(pod, { metadata: { name: 'web', uid: 'u2' } })).toBe(false)
    expect(isControlledBy({ metadata: {} }, { metadata: {} })).toBe(false)
  })
})

describe('finalizers', () => {
  const object: KubeObject = { metadata: { name: 'a' } }
  test('come and go, and leave no empty list', () => {
    const held = withFinalizer(object, 'x/y')
    expect(hasFinalizer(held, 'x/y')).toBe(true)
    expect(withFinalizer(held, 'x/y')).toBe(held)
    expect(withoutFinalizer(held, 'x/y')).toEqual(object)
    expect(withoutFinalizer(object, 'x/y')).toBe(object)
  })
})

describe('resource versions', () => {
  test.each([
    [undefined, 0],
    ['', 0],
    ['0', 0],
    ['42', 42],
  ])('%s', (text, expected) => expect(parseResourceVersion(text)).toBe(expected))
  test.each([
    ['abc', 'strconv.ParseUint: parsing "abc": invalid syntax'],
    ['-1', 'strconv.ParseUint: parsing "-1": invalid syntax'],
    ['99999999999999999999', 'strconv.ParseUint: parsing "99999999999999999999": value out of range'],
  ])('refuses %s', (text, finding) => {
    expect(() => parseResourceVersion(text)).toThrow(`resourceVersion: Invalid value: "${text}": ${finding}`)
  })
})

describe('field errors', () => {
  test('speak upstream’s units', () => {
    expect(tooLong(path, 1).message).toBe('Too long: may not be more than 1 byte')
    expect(tooShort(path, 2).message).toBe('Too short: must be at least 2 characters')
    expect(tooMany(path, 3, 1).message).toBe('Too many: 3: must have at most 1 item')
    expect(invalidValue(path, { a: '<&>' }, 'no').message).toBe('Invalid value: {"a":"\\u003c\\u0026\\u003e"}: no')
  })
  test('are said once', () => {
    const one = invalidValue(path, 1, 'no')
    expect(fieldErrorsText([one, one])).toBe('spec.x: Invalid value: 1: no')
    expect(fieldErrorsText([one, invalidValue(path, 2, 'no')])).toBe(
      '[spec.x: Invalid value: 1: no, spec.x: Invalid value: 2: no]',
    )
  })
})
