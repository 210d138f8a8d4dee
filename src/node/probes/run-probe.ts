/** One look of a probe: exec in the container, or HTTP, TCP and gRPC from the node to the pod's address. */

import { connect as connectSocket } from 'node:net'
import { PassThrough } from 'node:stream'
import type { ContainerRuntime } from '../runtime/runtime.ts'
import { checkGrpc } from './grpc.ts'
import { followRedirects, type HttpClient, portOf, requestOf } from './http.ts'
import type { ProbeRunner } from './prober.ts'

/** Bytes of a probe's output that an event shows. */
const OUTPUT_BYTES_MAX = 1024

export function createProbeRunner(runtime: ContainerRuntime, http: HttpClient): ProbeRunner {
  return async (probe, { container, containerId, ip }, signal) => {
    if (probe.exec) return runExec(runtime, containerId, probe.exec.command ?? [], signal)
    if (probe.httpGet) {
      const { status, body } = await followRedirects(http, requestOf(probe.httpGet, ip, container), signal)
      const ok = status >= 200 && status < 400
      return { ok, output: ok ? body : `HTTP probe failed with statuscode: ${status}` }
    }
    if (probe.tcpSocket) return openTcp(probe.tcpSocket.host || ip, portOf(probe.tcpSocket.port, container), signal)
    if (probe.grpc) return checkGrpc(ip, probe.grpc.port, probe.grpc.service ?? '', signal)
    return { ok: true, output: '' }
  }
}

async function runExec(runtime: ContainerRuntime, id: string, command: readonly string[], signal: AbortSignal) {
  const output = new PassThrough()
  const chunks: Buffer[] = []
  output.on('data', (chunk: Buffer) => chunks.push(chunk))
  const code = await runtime.exec(id, command, { stdout: output, stderr: output }, { tty: false, signal })
  return { ok: code === 0, output: Buffer.concat(chunks).subarray(0, OUTPUT_BYTES_MAX).toString('utf8') }
}

function openTcp(
  host: string,
  port: number,
  signal: AbortSignal,
): Promise<{ readonly ok: boolean; readonly output: string }> {
  return new Promise((resolve) => {
    const socket = connectSocket({ host, port })
    const finish = (ok: boolean, output: string) => {
      socket.destroy()
      resolve({ ok, output })
    }
    socket.on('connect', () => finish(true, ''))
    socket.on('error', (error) => finish(false, `dial tcp ${host}:${port}: ${error.message}`))
    signal.addEventListener('abort', () => finish(false, `dial tcp ${host}:${port}: i/o timeout`), { once: true })
  })
}
