/** A terminal for a program, made by util-linux' `script`: typed into, read, resized. */

import { mkdtemp, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type CommandOptions, type RunningCommand, runCommand, startCommand } from './command.ts'
import { eventually } from './eventually.ts'

export interface Terminal extends RunningCommand {
  resize(columns: number, rows: number): Promise<void>
}

/** Starts with 80 columns and 24 rows. The exit code is the program's. */
export async function startTerminal(words: readonly string[], options: CommandOptions): Promise<Terminal> {
  const directory = await mkdtemp(join(options.directory ?? '/tmp', 'terminal-'))
  const deviceFile = join(directory, 'device')
  const line = `stty cols 80 rows 24 && tty > ${deviceFile} && exec ${words.map(quoted).join(' ')}`
  const env = { ...options.env, SHELL: '/bin/sh' }
  const command = startCommand('script', ['--quiet', '--return', '--command', line, '/dev/null'], { ...options, env })
  const device = await eventually(async () => {
    const text = await readFile(deviceFile, 'utf8')
    if (!text.endsWith('\n')) throw new Error('the terminal has no name yet')
    return text.trim()
  })
  return {
    ...command,
    async resize(columns, rows) {
      await runCommand('stty', ['-F', device, 'cols', String(columns), 'rows', String(rows)])
    },
  }
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`
}
