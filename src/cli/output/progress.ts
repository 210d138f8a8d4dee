/** What starting looks like: a tick and a line per phase on a terminal, constant columns elsewhere, or JSON lines. */

import type { Terminal } from './terminal.ts'

export interface Progress {
  title(text: string): void
  /** A phase is done. */
  done(name: string, text: string, seconds: number): void
  /** What to know now that everything runs. */
  fact(name: string, text: string): void
  end(text: string): void
}

const NAME_WIDTH = 12
const TEXT_WIDTH = 44

export function createProgress(terminal: Terminal): Progress {
  const { style, colors, say } = terminal
  if (style === 'json') return jsonProgress()
  if (style === 'plain')
    return {
      title: () => {},
      done: (name, text, seconds) => say(`t8s: ok   ${name.padEnd(NAME_WIDTH)}${text}   ${seconds.toFixed(2)}s`),
      fact: (name, text) => say(`t8s:      ${name.padEnd(NAME_WIDTH)}${text}`),
      end: (text) => say(`t8s: ok   ${text}`),
    }
  let facts = false
  return {
    title: (text) => say(`\n  ${text}\n`),
    done: (name, text, seconds) => {
      const time = colors.dim(`${seconds.toFixed(2)} s`)
      say(`  ${colors.green('✓')} ${name.padEnd(NAME_WIDTH)}${text.padEnd(TEXT_WIDTH)} ${time}`)
    },
    fact: (name, text) => {
      if (!facts) say('')
      facts = true
      say(`  ${name.padEnd(NAME_WIDTH)}${text}`)
    },
    end: (text) => say(`  ${text}\n`),
  }
}

function jsonProgress(): Progress {
  const line = (value: object) => process.stderr.write(`${JSON.stringify(value)}\n`)
  return {
    title: () => {},
    done: (name, text, seconds) => line({ type: 'phase', name, state: 'done', text, seconds }),
    fact: (name, text) => line({ type: 'fact', name, text }),
    end: (text) => line({ type: 'end', text }),
  }
}
