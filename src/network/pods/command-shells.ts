/**
 * Programs that are started by small shells which stay. To start one by itself costs this process 20 ms in which it does
 * nothing else, because of the size of its memory; a shell does it in 2.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { Socket } from 'node:net'
import { assert } from '../../base/assert.ts'

export interface CommandShells {
  /** Runs a program to its end, with this input. */
  run(words: readonly string[], input: string): Promise<Outcome>
}

export interface Outcome {
  readonly code: number
  readonly output: string
  readonly errors: string
}

/** Programs at once: the commands of a pod that starts should not wait for a large table of rules. About 1 MB each. */
const SHELLS_MAX = 4
/** Commands that wait for a shell. Those of a node's pods and services are a few hundred at most. */
const WAITING_MAX = 10_000
/** A list of all interfaces of a node with 1,000 pods is about 1 MB. */
const OUTPUT_BYTES_MAX = 16_777_216
/** A program that loops is killed and tried again by its caller; a table of thousands of rules takes a second. */
const CPU_SECONDS_MAX = 60
/** Where the tools are on every distribution; nothing of the user's environment is passed on. */
const ENVIRONMENT = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' }

export function createCommandShells(): CommandShells {
  const idle: Shell[] = []
  const waiting: ((shell: Shell) => void)[] = []
  let count = 0
  const take = (): Shell | Promise<Shell> => {
    const shell = idle.pop()
    if (shell) return shell
    if (count < SHELLS_MAX) {
      count++
      return new Shell()
    }
    assert(waiting.length < WAITING_MAX, 'too many commands at once')
    return new Promise((resolve) => waiting.push(resolve))
  }
  const give = (used: Shell) => {
    const shell = used.ended && waiting.length > 0 ? new Shell() : used
    const next = waiting.shift()
    if (next) next(shell)
    else if (shell.ended) count--
    else idle.push(shell)
  }
  return {
    async run(words, input) {
      const shell = await take()
      try {
        return await shell.run(words, input)
      } finally {
        give(shell)
      }
    },
  }
}

/** One shell: one command at a time. It ends with this process, and does not keep it from ending. */
class Shell {
  readonly #process: ChildProcess
  #output = new Collected()
  #errors = new Collected()
  #running: PromiseWithResolvers<Outcome> | undefined
  ended = false

  constructor() {
    this.#process = spawn('sh', { env: ENVIRONMENT, stdio: ['pipe', 'pipe', 'pipe'], detached: true })
    const { stdin, stdout, stderr } = this.#process
    for (const stream of [stdin, stdout, stderr]) if (stream instanceof Socket) stream.unref()
    this.#process.unref()
    stdout?.on('data', (chunk: Buffer) => this.#collect(this.#output, chunk))
    stderr?.on('data', (chunk: Buffer) => this.#collect(this.#errors, chunk))
    // A shell that ends closes its input; its end tells why.
    stdin?.on('error', () => {})
    this.#process.on('error', (error) => this.#end(error))
    this.#process.on('exit', () => this.#end(new Error('the shell has ended')))
  }

  async run(words: readonly string[], input: string): Promise<Outcome> {
    if (this.ended) throw new Error('the shell has ended')
    const running = Promise.withResolvers<Outcome>()
    this.#running = running
    this.#output = new Collected()
    this.#errors = new Collected()
    this.#process.ref()
    this.#process.stdin?.write(scriptOf(words, input))
    try {
      return await running.promise
    } finally {
      this.#process.unref()
    }
  }

  #collect(into: Collected, chunk: Buffer): void {
    into.add(chunk)
    if (into.bytes > OUTPUT_BYTES_MAX) this.#end(new Error('too much output'))
    // What a program says on the two ways comes in any order.
    if (this.#output.marks < 2 || this.#errors.marks < 1) return
    const [output = '', code] = this.#output.text().split(MARK)
    const [errors = ''] = this.#errors.text().split(MARK)
    this.#running?.resolve({ code: Number(code), output, errors })
  }

  #end(reason: Error): void {
    this.ended = true
    this.#process.kill('SIGKILL')
    this.#running?.reject(reason)
  }
}

/** Ends what a command has said, and its exit code: a byte that no program of ours writes. */
const MARK = '\0'
const MARK_BYTE = 0

class Collected {
  readonly #chunks: Buffer[] = []
  bytes = 0
  marks = 0

  add(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.bytes += chunk.length
    for (let at = chunk.indexOf(MARK_BYTE); at >= 0; at = chunk.indexOf(MARK_BYTE, at + 1)) this.marks++
  }

  text(): string {
    return Buffer.concat(this.#chunks).toString()
  }
}

const END_OF_INPUT = 't8s-end-of-input'

function scriptOf(words: readonly string[], input: string): string {
  assert(!input.includes(END_OF_INPUT), 'the input of a command ends itself')
  const command = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ')
  const lines = input === '' || input.endsWith('\n') ? input : `${input}\n`
  return `(ulimit -t ${CPU_SECONDS_MAX}; exec ${command}) <<'${END_OF_INPUT}'
${lines}${END_OF_INPUT}
printf '\\0%d\\0' $?; printf '\\0' >&2
`
}
