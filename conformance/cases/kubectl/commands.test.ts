/** The pinned kubectl's own list of commands, against the stories that are told of them: none may be without one. */

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { runCommand } from './support/command.ts'
import { upstream } from './support/on-simulated-cluster.ts'
import { STORIES } from './support/stories.ts'

/** `create secret generic` is as deep as it goes. */
const DEPTH_MAX = 3
/** Commands that do something themselves, besides having subcommands. */
const OF_THEIR_OWN = ['apply', 'cluster-info', 'create']

const title = upstream.available ? 'commands of kubectl' : `commands of kubectl: skipped, ${upstream.reason}`

describe.skipIf(!upstream.available)(title, () => {
  test('each has a story, and no story is of a command that there is not', async () => {
    const program = upstream.available ? upstream.path('kubectl') : ''
    expect(Object.keys(STORIES).sort()).toEqual((await commandsOf(program, [])).toSorted())
  })

  test.each(Object.entries(STORIES))('%s is played in %s.test.ts', async (command, story) => {
    const text = await readFile(join(import.meta.dirname, `${story}.test.ts`), 'utf8')
    expect(wordsIn(text).includes(` ${asWritten(command)} `)).toBe(true)
  })
})

/** Every command below these words, as its help lists them. */
async function commandsOf(program: string, words: readonly string[]): Promise<readonly string[]> {
  const { stdout } = await runCommand(program, [...words, '--help'])
  const named = words.length < DEPTH_MAX ? subcommandsIn(stdout) : []
  const below = await Promise.all(named.map((name) => commandsOf(program, [...words, name])))
  const command = words.join(' ')
  const isPlayed = words.length > 0 && (named.length === 0 || OF_THEIR_OWN.includes(command))
  return [...(isPlayed ? [command] : []), ...below.flat()]
}

/** The names in the sections of a help whose titles speak of commands. */
function subcommandsIn(help: string): readonly string[] {
  const sections = help.split('\n\n').filter((section) => /^[^\n]*Commands[^\n]*:\n/.test(section))
  return sections.flatMap((section) => [...section.matchAll(/^ {2}([a-z-]+) {2,}\S/gm)].map(([, name]) => name ?? ''))
}

/** The words of a program's strings, with single spaces around them. */
function wordsIn(text: string): string {
  return ` ${text.replaceAll(/[^\w-]+/g, ' ')} `
}

/** Where many subcommands of one command are played, the text names that command once for all. */
function asWritten(command: string): string {
  const [first, ...rest] = command.split(' ')
  return (first === 'config' || first === 'create') && rest.length > 0 ? rest.join(' ') : command
}
