/**
 * TCP connections that start inside another process's network namespace, so that a port bound to a pod's 127.0.0.1 can
 * be reached, whatever the pod's image contains.
 *
 * A thread cannot change its namespace from JavaScript. So a small helper of the same runtime is started inside by
 * `nsenter`; it connects and hands the open socket over, and bytes never pass through it. It starts in about 40 ms,
 * stays for the next connection, and leaves when nobody has asked for a while or this process is gone.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { Socket } from 'node:net'
import type { Clock, Timer } from '../../base/clock.ts'
import { RuntimeError } from './runtime.ts'

/** How long a helper waits for another connection, in ms. It holds about 40 MB. */
const IDLE_MS_MAX = 10_000

/** Connections that may be in the making in one namespace. A page of a browser opens six. */
const DIALS_MAX = 100

/**
 * Numbers in, sockets out. `localhost` is tried as IPv4, then as IPv6. The socket is only passed on: it must not be
 * read here, and it keeps its other half open when one side ends.
 */
const HELPER = `
const { connect } = require('node:net')
const dial = (id, port, [host, ...others], failure) => {
  const socket = connect({ host, port, allowHalfOpen: true })
  socket.once('error', (error) => {
    const first = failure || error.message
    if (others.length > 0) dial(id, port, others, first)
    else process.send({ id, error: first })
  })
  socket.once('connect', () => process.send({ id }, socket, { keepOpen: false }))
}
process.on('message', ({ id, port }) => dial(id, port, ['127.0.0.1', '::1']))
process.on('disconnect', () => process.exit())
`

export interface NamespaceDialer extends Disposable {
  /** Connects to `localhost:port` inside the network namespace of process `pid`. */
  connect(pid: number, port: number): Promise<Socket>
}

export function createNamespaceDialer(clock: Clock): NamespaceDialer {
  const helpers = new Map<number, Helper>()
  return {
    connect(pid, port) {
      let helper = helpers.get(pid)
      if (!helper?.alive) {
        helper = new Helper(pid, clock, () => {
          if (helpers.get(pid) === helper) helpers.delete(pid)
        })
        helpers.set(pid, helper)
      }
      return helper.connect(port)
    },
    [Symbol.dispose]() {
      for (const helper of helpers.values()) helper.stop('the runtime is closing')
    },
  }
}

class Helper {
  readonly #process: ChildProcess
  readonly #waiting = new Map<number, PromiseWithResolvers<Socket>>()
  readonly #clock: Clock
  readonly #onStop: () => void
  #next = 0
  #idle: Timer | undefined
  alive = true

  constructor(pid: number, clock: Clock, onStop: () => void) {
    this.#clock = clock
    this.#onStop = onStop
    const command = ['-t', String(pid), '-n', '--', process.execPath, '--input-type=commonjs', '-e', HELPER]
    this.#process = spawn('nsenter', command, { stdio: ['ignore', 'ignore', 'ignore', 'ipc'], env: {} })
    this.#process.on('message', (message, handle) => this.#onMessage(message, handle))
    this.#process.on('error', (error) => this.stop(error.message))
    this.#process.on('exit', () => this.stop('the namespace is gone'))
  }

  connect(port: number): Promise<Socket> {
    if (this.#waiting.size >= DIALS_MAX) throw new RuntimeError('ConnectError', 'too many connections at once')
    this.#idle?.cancel()
    const id = this.#next++
    const waiting = Promise.withResolvers<Socket>()
    this.#waiting.set(id, waiting)
    this.#process.send({ id, port }, (error) => {
      if (error) this.stop(error.message)
    })
    return waiting.promise
  }

  stop(why: string): void {
    if (!this.alive) return
    this.alive = false
    this.#idle?.cancel()
    this.#process.kill('SIGKILL')
    for (const { reject } of this.#waiting.values()) reject(new RuntimeError('ConnectError', why))
    this.#waiting.clear()
    this.#onStop()
  }

  #onMessage(message: unknown, handle: unknown): void {
    const { id, error } = message as { readonly id: number; readonly error?: string }
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (handle instanceof Socket && waiting) waiting.resolve(handle)
    else waiting?.reject(new RuntimeError('ConnectError', error ?? 'the connection was closed at once'))
    if (this.#waiting.size === 0) this.#idle = this.#clock.after(IDLE_MS_MAX, () => this.stop('idle'))
  }
}
