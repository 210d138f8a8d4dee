/** Commands in running containers, and connections to their first process. */

import type { Duplex } from 'node:stream'
import type Docker from 'dockerode'
import type { Clock } from '../../base/clock.ts'
import { type DockerEngine, messageOf } from './docker-engine.ts'
import { copyOutput } from './docker-streams.ts'
import { type ProcessStreams, RuntimeError } from './runtime.ts'

/** How long after the end of its output a command may take to have its exit code, and how often to ask, in ms. */
const EXIT_CODE_WAIT_MS_MAX = 2_000
const EXIT_CODE_POLL_MS = 5

export interface ExecOptions {
  readonly tty: boolean
  readonly signal?: AbortSignal
}

/** Resolves with the exit code. The engine cannot end a command: an aborted one is left to itself. */
export async function execInContainer(
  { docker }: DockerEngine,
  clock: Clock,
  id: string,
  command: readonly string[],
  streams: ProcessStreams,
  { tty, signal }: ExecOptions,
): Promise<number> {
  signal?.throwIfAborted()
  const hasInput = streams.stdin !== undefined
  let exec: Docker.Exec
  let socket: Duplex
  try {
    exec = await docker.getContainer(id).exec({
      Cmd: [...command],
      AttachStdin: hasInput,
      AttachStdout: true,
      AttachStderr: !tty,
      Tty: tty,
    })
    socket = await exec.start({ hijack: true, stdin: hasInput, Tty: tty })
  } catch (error) {
    throw new RuntimeError('ExecError', messageOf(error))
  }
  await converse(socket, streams, tty, signal, (size) => exec.resize(size))
  return exitCode(exec, clock)
}

/** Connects to the container's first process; `resize` needs a terminal. */
export async function attachToContainer(
  { docker }: DockerEngine,
  clock: Clock,
  id: string,
  streams: ProcessStreams,
  signal: AbortSignal | undefined,
): Promise<void> {
  signal?.throwIfAborted()
  const container = docker.getContainer(id)
  let tty: boolean
  let socket: Duplex
  try {
    tty = (await container.inspect()).Config.Tty
    const stdin = streams.stdin !== undefined
    socket = (await container.attach({ stream: true, stdin, stdout: true, stderr: true, hijack: true })) as Duplex
  } catch (error) {
    throw new RuntimeError('AttachError', messageOf(error))
  }
  const done = new AbortController()
  void endWithContainer(container, socket, clock, done.signal)
  try {
    await converse(socket, streams, tty, signal, (size) => container.resize(size))
  } finally {
    done.abort()
  }
}

/** How long after a container's end its last output may still be on the way, in ms. */
const OUTPUT_DRAIN_MS = 500

/** The stream of a container that ended just before it was attached to never ends by itself. */
async function endWithContainer(
  container: Docker.Container,
  socket: Duplex,
  clock: Clock,
  done: AbortSignal,
): Promise<void> {
  try {
    await container.wait({ condition: 'not-running', abortSignal: done })
    await clock.sleep(OUTPUT_DRAIN_MS, done)
    socket.end()
    socket.destroy()
  } catch {
    // The stream has ended by itself, or the container is gone and its stream with it.
  }
}

type Resize = (size: { h: number; w: number }) => Promise<unknown>

/** Copies both ways until the output ends. The end of the input closes only that direction. */
async function converse(
  socket: Duplex,
  streams: ProcessStreams,
  tty: boolean,
  signal: AbortSignal | undefined,
  resize: Resize,
): Promise<void> {
  const onAbort = () => socket.destroy()
  signal?.addEventListener('abort', onAbort, { once: true })
  // The remote side may go while input is still coming: that is how most processes end.
  socket.on('error', () => {})
  streams.stdin?.on('error', () => socket.end())
  streams.stdin?.pipe(socket)
  if (tty && streams.resize) void followSizes(streams.resize, resize)
  try {
    await copyOutput(socket, streams, tty)
  } catch (error) {
    if (!signal?.aborted && !isHangUp(error)) throw error
  } finally {
    signal?.removeEventListener('abort', onAbort)
    streams.stdin?.unpipe(socket)
    socket.destroy()
  }
  signal?.throwIfAborted()
}

function isHangUp(error: unknown): boolean {
  const code = error instanceof Error ? Reflect.get(error, 'code') : undefined
  return code === 'ECONNRESET' || code === 'EPIPE' || code === 'ERR_STREAM_PREMATURE_CLOSE'
}

async function followSizes(sizes: NonNullable<ProcessStreams['resize']>, resize: Resize): Promise<void> {
  try {
    for await (const { width, height } of sizes) await resize({ w: width, h: height }).catch(() => {})
  } catch {
    // The client is gone: the terminal keeps its size.
  }
}

async function exitCode(exec: Docker.Exec, clock: Clock): Promise<number> {
  const giveUpAt = clock.monotonic() + EXIT_CODE_WAIT_MS_MAX
  for (;;) {
    const { Running, ExitCode } = await exec.inspect()
    if (!Running && ExitCode !== null) return ExitCode
    if (clock.monotonic() > giveUpAt) throw new RuntimeError('ExecError', 'the command closed its output and goes on')
    await clock.sleep(EXIT_CODE_POLL_MS)
  }
}
