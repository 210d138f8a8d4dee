/** Asks the process of a running cluster, over TLS, as its administrator. */

import type { Client } from '../client/client.ts'
import { createHttpTransport } from '../client/http-transport.ts'
import { createClient } from '../client/resource-client.ts'
import type { ClusterConfig } from '../cluster/config.ts'
import { administratorCredentials } from '../cluster/credentials.ts'
import { T8S_VERSION } from '../cluster/version.ts'
import { ApiError, fromStatus, type Status } from '../machinery/meta/api-error.ts'
import type { ApiResponse } from '../machinery/wire/message.ts'
import { Failure } from './failure.ts'

export interface Control extends Disposable {
  readonly client: Client
  /** The JSON that a path answers. Throws `ApiError` for a failure. */
  json(path: string, options?: AskOptions): Promise<unknown>
  text(path: string, options?: AskOptions): Promise<string>
}

export interface AskOptions {
  readonly method?: string | undefined
  readonly query?: Readonly<Record<string, string>> | undefined
  readonly signal?: AbortSignal | undefined
}

export async function openControl({ name, directory, host, port }: ClusterConfig): Promise<Control> {
  const credentials = await administratorCredentials(directory)
  if (!credentials) throw new Failure({ reason: 'NotRunning', message: `Cluster "${name}" has never been started.` })
  const transport = createHttpTransport({
    server: `https://${host}:${port}`,
    certificateAuthority: credentials.authority,
    clientCertificate: credentials.certificate,
    clientKey: credentials.key,
    userAgent: `t8s/${T8S_VERSION}`,
  })
  const client = createClient(transport)
  const ask = async (path: string, accept: string, options: AskOptions = {}): Promise<string> => {
    const response = await client.raw({ path, headers: { accept }, ...options })
    const text = textOf(response)
    if (response.status >= 300) throw failedAnswer(response.status, text)
    return text
  }
  return {
    client,
    json: async (path, options) => JSON.parse(await ask(path, 'application/json', options)),
    text: (path, options) => ask(path, 'text/plain', options),
    [Symbol.dispose]: () => transport[Symbol.dispose](),
  }
}

/** Whether the server answers at all. */
export async function answers(config: ClusterConfig, signal: AbortSignal): Promise<boolean> {
  try {
    using control = await openControl(config)
    await control.text('/livez', { signal })
    return true
  } catch (error) {
    return error instanceof ApiError
  }
}

function textOf({ body }: ApiResponse): string {
  if (body.type !== 'bytes') return ''
  const parts = body.bytes instanceof Uint8Array ? [body.bytes] : body.bytes
  return Buffer.concat(parts).toString('utf8')
}

function failedAnswer(code: number, text: string): ApiError {
  try {
    return fromStatus(JSON.parse(text) as Status)
  } catch {
    return new ApiError(code, 'Unknown', text)
  }
}
