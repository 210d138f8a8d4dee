import { Command } from 'commander'
import { expect, test } from 'vitest'
import { candidatesOf } from './completion.ts'

test('offers commands, their flags and the global ones, and nothing hidden', () => {
  const program = new Command('t8s').helpCommand(false).option('--name <name>')
  program.command('up').option('--nodes <count>')
  program.command('create').helpCommand(false).command('node').option('--simulated')
  program.command('__run', { hidden: true })
  expect(Object.fromEntries(candidatesOf(program))).toEqual({
    '': ['up', 'create', '--name'],
    up: ['--nodes', '--name'],
    create: ['node', '--name'],
    'create node': ['--simulated', '--name'],
  })
})
