/** A whole API server over TLS for the tests of who asks: the files of its security beside it, and who am I. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../../../src/base/clock.ts'
import { type Logger, silentLogger } from '../../../../src/base/log.ts'
import type { SecuritySettings } from '../../../../src/cluster/security/settings.ts'
import { type AskOptions, type OpenedControlPlane, openControlPlane } from '../../../support/control-plane.ts'

export interface Callers extends AsyncDisposable {
  readonly opened: OpenedControlPlane
  /** Writes a file of the security settings. */
  write(name: string, content: string | object): Promise<void>
  /** Who the server takes the bearer for; the status where it takes it for nobody. */
  whoIs(token: string | undefined, options?: AskOptions): Promise<Identity | number>
  /** What the server says of a token to one who may ask. */
  review(token: string, audiences?: readonly string[]): Promise<unknown>
  /** Everything that was logged, as text. */
  logged(): string
}

export interface Identity {
  readonly username: string
  readonly uid?: string
  readonly groups?: readonly string[]
  readonly extra?: Readonly<Record<string, readonly string[]>>
}

type Files = Readonly<Record<string, string | object>>

/** `settings` is told where the files are. The server speaks HTTP/1.1 and HTTP/2. */
export async function openCallers(
  files: Files,
  settings: (path: (name: string) => string) => SecuritySettings['authentication'],
): Promise<Callers> {
  await using stack = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 't8s-callers-'))
  stack.defer(() => rm(folder, { recursive: true, force: true }))
  const path = (name: string) => join(folder, name)
  const write = (name: string, content: string | object) =>
    writeFile(path(name), typeof content === 'string' ? content : JSON.stringify(content))
  for (const [name, content] of Object.entries(files)) await write(name, content)
  const lines: string[] = []
  const opened = stack.use(
    await openControlPlane({
      log: recorder(lines),
      config: { name: 'authn', http2: true, security: { authentication: settings(path) } },
    }),
  )
  const admin = await opened.user('admin', 'system:masters')
  const owned = stack.move()
  return {
    opened,
    write,
    async whoIs(token, options = {}) {
      const headers = { ...(token !== undefined && { authorization: `Bearer ${token}` }), ...options.headers }
      const body = { kind: 'SelfSubjectReview', apiVersion: 'authentication.k8s.io/v1' }
      const answer = await opened.ask('POST', SELF, { ...options, headers, body })
      return answer.status === 201 ? answer.json.status.userInfo : answer.status
    },
    async review(token, audiences) {
      const body = { kind: 'TokenReview', apiVersion: 'authentication.k8s.io/v1', spec: { token, audiences } }
      const answer = await opened.ask('POST', '/apis/authentication.k8s.io/v1/tokenreviews', { as: admin, body })
      return answer.status === 201 ? answer.json.status : answer.json
    },
    logged: () => lines.join('\n'),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

const SELF = '/apis/authentication.k8s.io/v1/selfsubjectreviews'

function recorder(lines: string[]): Logger {
  const note = (message: string, fields?: object) =>
    void lines.push(
      `${message} ${JSON.stringify(fields, (_, value) => (value instanceof Error ? value.message : value))}`,
    )
  const logger: Logger = { ...silentLogger, debug: note, info: note, warn: note, error: note, child: () => logger }
  return logger
}

/** Resolves with the first value that is not undefined; asked again and again. */
export async function eventually<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    await systemClock.sleep(20)
  }
}
