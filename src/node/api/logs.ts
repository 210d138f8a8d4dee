/** Container logs over HTTP: the options of PodLogOptions, in upstream's forms. */

import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { badRequest } from '../../machinery/meta/api-error.ts'
import { parseTime } from '../../machinery/meta/time.ts'
import type { ContainerStatus } from '../runtime/runtime.ts'
import { findInstances, findPod } from './find-container.ts'
import type { KubeletRequest } from './kubelet-request.ts'

interface LogWish {
  readonly follow: boolean
  readonly previous: boolean
  readonly timestamps: boolean
  readonly tailLines: number | undefined
  readonly limitBytes: number | undefined
  readonly sinceMs: number | undefined
  readonly stream: 'All' | 'Stdout' | 'Stderr'
}

export async function writeLogs(request: KubeletRequest, response: ServerResponse): Promise<void> {
  const { options, signal } = request
  const wish = readWish(request)
  const instance = await chooseInstance(request, wish)
  response.writeHead(200, { 'Content-Type': 'text/plain' })
  response.flushHeaders()
  let left = wish.limitBytes ?? Number.POSITIVE_INFINITY
  const source = { follow: wish.follow, tailLines: wish.tailLines, sinceMs: wish.sinceMs }
  for await (const { timestamp, stream, bytes } of options.runtime.logs(instance.id, source, signal)) {
    if (wish.stream !== 'All' && wish.stream.toLowerCase() !== stream) continue
    const line = wish.timestamps ? Buffer.concat([Buffer.from(`${timestamp} `), bytes]) : bytes
    const sent = line.subarray(0, left)
    left -= sent.length
    if (!response.write(sent) && !signal.aborted) await Promise.race([once(response, 'drain'), once(response, 'close')])
    if (left <= 0 || signal.aborted) break
  }
  response.end()
}

function readWish({ query, options }: KubeletRequest): LogWish {
  const flag = (name: string) => query.get(name) === 'true' || query.get(name) === '1'
  const number = (name: string) => {
    const text = query.get(name)
    if (text === null || text === '') return undefined
    if (!/^\d+$/.test(text)) throw badRequest(`${name} must be a number that is not negative`)
    return Number(text)
  }
  const sinceSeconds = number('sinceSeconds')
  const sinceTime = query.get('sinceTime')
  const stream = query.get('stream')
  return {
    follow: flag('follow'),
    previous: flag('previous'),
    timestamps: flag('timestamps'),
    tailLines: number('tailLines'),
    limitBytes: number('limitBytes'),
    sinceMs:
      sinceSeconds === undefined
        ? sinceTime
          ? parseTime(sinceTime)
          : undefined
        : options.clock.now() - sinceSeconds * 1000,
    stream: stream === 'Stdout' || stream === 'Stderr' ? stream : 'All',
  }
}

async function chooseInstance(request: KubeletRequest, { previous }: LogWish): Promise<ContainerStatus> {
  const pod = findPod(request)
  const [, , container] = request.parts
  const instances = (await findInstances(request)).filter(({ state }) => state !== 'created')
  const ended = instances.filter(({ state }) => state === 'exited')
  // While a restart waits for its back-off, the newest instance is the one that ended: the one before it is "previous".
  const chosen = previous ? (instances[0]?.state === 'running' ? ended[0] : (ended[1] ?? ended[0])) : instances[0]
  if (chosen) return chosen
  const where = `container "${container}" in pod "${pod.metadata.name}"`
  if (previous) throw badRequest(`previous terminated ${where} not found`)
  const status = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])].find(
    ({ name }) => name === container,
  )
  const reason = status?.state?.waiting?.reason ?? 'ContainerCreating'
  throw badRequest(`${where} is waiting to start: ${reason}`)
}
