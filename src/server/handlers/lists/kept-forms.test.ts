import { expect, test } from 'vitest'
import { KeptForms } from './kept-forms.ts'

const object = (text: string) => Buffer.from(text)

test('a form is found by its object, not by equal bytes', () => {
  const forms = new KeptForms<{ readonly name: string }>(100)
  const one = object('x')
  forms.keep(one, { name: 'one' }, 10)
  expect(forms.get(one)).toEqual({ name: 'one' })
  expect(forms.get(object('x'))).toBeUndefined()
})

test('what is more than is kept begins anew', () => {
  const forms = new KeptForms<{ readonly index: number }>(100)
  const objects = Array.from({ length: 11 }, (_, index) => object(String(index)))
  for (const [index, one] of objects.entries()) forms.keep(one, { index }, 10)
  expect(objects.map((one) => forms.get(one)?.index)).toEqual([...Array(10).fill(undefined), 10])
})
