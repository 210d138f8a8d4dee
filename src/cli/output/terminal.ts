/** Where a command's words go: data to standard output, talk to standard error, colours only where they are seen. */

import { createColors } from 'picocolors'
import type { Failure } from '../failure.ts'
import { printable } from './printable.ts'

export type ProgressStyle = 'pretty' | 'plain' | 'json' | 'none'

export interface Terminal {
  readonly style: ProgressStyle
  /** Data: what a script reads. */
  print(text: string): void
  /** Talk: one line. Nothing with `--quiet`. */
  say(line: string): void
  /** A line for people about something odd; never silent. */
  warn(reason: string, line: string): void
  fail(failure: Failure): void
  readonly colors: ReturnType<typeof createColors>
}

export interface TerminalOptions {
  readonly color: 'auto' | 'always' | 'never'
  readonly progress: 'auto' | 'plain' | 'json' | 'none'
  readonly quiet: boolean
  /** From 6 on failures come with their stack. */
  readonly verbosity: number
  readonly noColor: boolean
  readonly forceColor: boolean
  readonly ci: boolean
}

/** The column at which a failure's reason stands. */
const REASON_COLUMN = 68
const STACK_VERBOSITY = 6

export function createTerminal(options: TerminalOptions): Terminal {
  const { stdout, stderr } = process
  const style = styleOf(options, Boolean(stderr.isTTY))
  const colors = createColors(usesColor(options, style))
  const line = (text: string) => stderr.write(`${text}\n`)
  return {
    style,
    colors,
    print: (text) => stdout.write(text),
    say: (text) => {
      if (style === 'pretty' || style === 'plain') line(text)
    },
    warn: (reason, text) => {
      if (style === 'json') line(JSON.stringify({ type: 'warning', reason, message: text }))
      else line(style === 'pretty' ? `  ${colors.yellow('!')} ${text}` : `t8s: warning: ${text}`)
    },
    fail: (failure) => {
      for (const text of failureLines(failure, style, colors)) line(text)
      if (options.verbosity >= STACK_VERBOSITY)
        line(String((failure.cause as Error | undefined)?.stack ?? failure.stack))
    },
  }
}

function styleOf({ progress, quiet, ci }: TerminalOptions, isTerminal: boolean): ProgressStyle {
  if (progress === 'json') return 'json'
  if (quiet || progress === 'none') return 'none'
  return progress === 'plain' || ci || !isTerminal ? 'plain' : 'pretty'
}

function usesColor({ color, noColor, forceColor }: TerminalOptions, style: ProgressStyle): boolean {
  if (color !== 'auto') return color === 'always'
  return !noColor && (forceColor || style === 'pretty')
}

/** What is wrong, why that matters, what to do, and the reason with its code. */
export function failureLines(
  { text, exitCode }: Failure,
  style: ProgressStyle,
  colors: ReturnType<typeof createColors>,
): readonly string[] {
  const { reason, message, detail, next = [] } = text
  if (style === 'json') return [JSON.stringify({ type: 'error', reason, message, exitCode })]
  const width = Math.max(0, ...next.map(([command]) => command.length))
  const lines = [
    `${style === 'pretty' ? colors.red('✗') : 'FAIL'} ${printable(message)}`,
    ...(detail === undefined ? [] : [`  ${printable(detail)}`]),
    ...next.map(([command, purpose]) => `  → ${command.padEnd(width)}   ${purpose}`.trimEnd()),
  ]
  const label = `reason: ${reason} · exit ${exitCode}`
  const last = lines.at(-1) ?? ''
  if (lines.length === 1 || last.length >= REASON_COLUMN) return [...lines, colors.dim(`  ${label}`)]
  return [...lines.slice(0, -1), `${last.padEnd(REASON_COLUMN)}${colors.dim(label)}`]
}
