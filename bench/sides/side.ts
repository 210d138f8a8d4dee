/** What is compared: something that serves the API of Kubernetes on this machine, durably, over TLS 1.3. */

import type { KubeconfigEntry } from '../../src/client/kubeconfig.ts'
import type { ProcessFigures } from './process-figures.ts'

export interface SideWish {
  /** Controllers and scheduler run besides the API server, and this many simulated nodes. Undefined: the API alone. */
  readonly nodes?: number | undefined
  /** Besides the API server only the scheduler and what pods need to be admitted have to run. */
  readonly schedulerOnly?: boolean | undefined
  /** The nodes run containers on this machine's Docker. */
  readonly docker?: boolean | undefined
  /** The API server also speaks HTTP/2; one that always does needs no telling. */
  readonly http2?: boolean | undefined
  /** Where alone the server's processes may run, as `taskset` names processors: `0-1`. */
  readonly processors?: string | undefined
}

/** As an answer names what it came by. */
export type Protocol = 'HTTP/1.1' | 'HTTP/2.0'

export interface Side {
  /** `t8s`, or the anchor and how it is set up. */
  readonly name: string
  /** What an unmodified client-go, which offers both, ends up speaking with it as it is shipped. */
  readonly chosen: Protocol
  /** Starts with an empty store in a new folder. Resolves when `/readyz` answers 200. */
  start(wish: SideWish): Promise<RunningSide>
}

export interface RunningSide extends AsyncDisposable {
  readonly access: Access
  /** When the first process was started, by `performance.now()`. */
  readonly startedAt: number
  /** From starting the first process to 200 from `/readyz`, in ms; of a restart when there was one. */
  readonly readyMs: number
  /** All processes of the side together. */
  readonly figures: ProcessFigures
  /** Kills every process with SIGKILL and starts again with the same data; new processes, new figures. */
  crash(): Promise<RunningSide>
  /** Credentials of somebody in these groups alone. */
  user(name: string, groups: readonly string[]): Promise<Access>
}

/** How a client with all rights gets in. */
export interface Access {
  /** `https://127.0.0.1:port` */
  readonly server: string
  /** Files in PEM. */
  readonly ca: string
  readonly certificate: string
  readonly key: string
  /** A file with all of it. */
  readonly kubeconfig: string
  readonly credentials: KubeconfigEntry
}
