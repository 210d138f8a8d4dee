/** exec, attach and port-forward: joins a client's streams to a container's. */

import { messageOf } from '../../base/error-text.ts'
import { badRequest, internalError } from '../../machinery/meta/api-error.ts'
import { acceptRemoteCommand, exitStatus } from '../../machinery/wire/channels.ts'
import type { UpgradedSocket } from '../../machinery/wire/message.ts'
import { acceptPortForward, type ForwardedConnection } from '../../machinery/wire/port-forward.ts'
import type { RemoteCommandStreams } from '../../machinery/wire/remote-command.ts'
import { podContainers } from '../pod-view.ts'
import { findPod, findRunning } from './find-container.ts'
import type { KubeletRequest } from './kubelet-request.ts'

export async function execIn(request: KubeletRequest, upgraded: UpgradedSocket): Promise<void> {
  const container = await findRunning(request)
  const command = request.query.getAll('command')
  if (command.length === 0) throw badRequest('you must specify at least 1 command for the container')
  const tty = wants(request, 'tty')
  const streams = await accept(request, upgraded, tty)
  await concluding(streams, async () => {
    const code = await request.options.runtime.exec(container.id, command, streams, { tty, signal: streams.closed })
    return exitStatus(code)
  })
}

export async function attachTo(request: KubeletRequest, upgraded: UpgradedSocket): Promise<void> {
  const container = await findRunning(request)
  const spec = podContainers(findPod(request)).find((candidate) => candidate.spec.name === container.name)?.spec
  const streams = await accept(request, upgraded, spec?.tty ?? false)
  await concluding(streams, async () => {
    await request.options.runtime.attach(container.id, streams, streams.closed)
    return exitStatus(0)
  })
}

function accept(request: KubeletRequest, upgraded: UpgradedSocket, tty: boolean): Promise<RemoteCommandStreams> {
  const wish = {
    stdin: wants(request, 'input'),
    stdout: wants(request, 'output'),
    stderr: wants(request, 'error'),
    tty,
  }
  if (!wish.stdin && !wish.stdout && !wish.stderr)
    throw badRequest('you must specify at least 1 of stdin, stdout, stderr')
  return acceptRemoteCommand(upgraded, { ...wish, clock: request.options.clock })
}

function wants({ query }: KubeletRequest, name: string): boolean {
  return query.get(name) === '1' || query.get(name) === 'true'
}

/** Whatever happens, the client hears how it ended. */
async function concluding(
  streams: RemoteCommandStreams,
  run: () => Promise<ReturnType<typeof exitStatus>>,
): Promise<void> {
  try {
    await streams.exit(await run())
  } catch (error) {
    await streams.exit(internalError(messageOf(error)).status)
  }
}

export async function forwardPorts(request: KubeletRequest, upgraded: UpgradedSocket): Promise<void> {
  const { runtime } = request.options
  const pod = findPod(request)
  const sandbox = (await runtime.sandboxes(pod.metadata.uid)).find(({ state }) => state === 'ready')
  if (!sandbox) throw badRequest(`pod "${pod.metadata.name}" has no running sandbox`)
  for await (const connection of acceptPortForward(upgraded).connections) void forward(request, sandbox.id, connection)
}

async function forward(
  { options }: KubeletRequest,
  sandboxId: string,
  { port, data, error }: ForwardedConnection,
): Promise<void> {
  try {
    const target = await options.runtime.connect(sandboxId, port)
    const close = () => {
      target.destroy()
      data.destroy()
    }
    target.on('error', close)
    data.on('error', close)
    data.on('close', () => target.destroy())
    target.pipe(data)
    data.pipe(target)
    error.end()
  } catch (failure) {
    error.end(`error forwarding port ${port} to pod ${sandboxId}: ${messageOf(failure)}`)
    data.end()
  }
}
