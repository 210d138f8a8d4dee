import { expect, test } from 'vitest'
import { createCommandShells } from './command-shells.ts'

test('a program gets its input as it is, and gives its output, its errors and its exit code', async () => {
  const shells = createCommandShells()
  const input = 'it\'s $HOME `id` \\ "quoted"\n\nlast line without an end'
  expect(await shells.run(['cat'], input)).toEqual({ code: 0, output: `${input}\n`, errors: '' })
  expect(await shells.run(['sh', '-c', 'echo out; echo "it\'s" >&2; exit 7'], '')).toEqual({
    code: 7,
    output: 'out\n',
    errors: "it's\n",
  })
})

test('more output than a pipe holds arrives whole', async () => {
  const { output } = await createCommandShells().run(['cat'], 'x'.repeat(3_000_000))
  expect(output).toBe(`${'x'.repeat(3_000_000)}\n`)
})

test('a program that is not there has a code and says so', async () => {
  const { code, errors } = await createCommandShells().run(['t8s-no-such-program'], '')
  expect(code).toBe(127)
  expect(errors).toContain('not found')
})

test('many commands at once each get their own answer', async () => {
  const shells = createCommandShells()
  const numbers = Array.from({ length: 50 }, (_, number) => String(number))
  const outcomes = await Promise.all(numbers.map((number) => shells.run(['echo', number], '')))
  expect(outcomes.map(({ output }) => output.trim())).toEqual(numbers)
})

test('a shell that is killed fails its command and is replaced', async () => {
  const shells = createCommandShells()
  const killParent = ['sh', '-c', 'kill -9 "$PPID"']
  await expect(shells.run(killParent, '')).rejects.toThrow('the shell has ended')
  expect((await shells.run(['echo', 'again'], '')).output).toBe('again\n')
})
