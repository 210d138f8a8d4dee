/** The environment variables that set defaults; flags win over them. */

import type { Places } from '../cluster/config.ts'

export interface Variables {
  readonly home: string | undefined
  readonly dataHome: string | undefined
  readonly cluster: string | undefined
  readonly kubeconfig: string | undefined
  /** Absolute; undefined where DOCKER_HOST is unset or names no socket of this machine. */
  readonly dockerSocket: string | undefined
  readonly noColor: boolean
  readonly forceColor: boolean
  readonly ci: boolean
}

export type EnvironmentVariables = Readonly<Record<string, string | undefined>>

const UNIX = 'unix://'

export function readVariables(environment: EnvironmentVariables): Variables {
  const { T8S_HOME, XDG_DATA_HOME, T8S_CLUSTER, KUBECONFIG, DOCKER_HOST, NO_COLOR, FORCE_COLOR, CI } = environment
  return {
    home: T8S_HOME,
    dataHome: XDG_DATA_HOME,
    cluster: T8S_CLUSTER || undefined,
    kubeconfig: KUBECONFIG || undefined,
    dockerSocket: DOCKER_HOST?.startsWith(UNIX) ? DOCKER_HOST.slice(UNIX.length) : undefined,
    noColor: Boolean(NO_COLOR),
    forceColor: Boolean(FORCE_COLOR) && FORCE_COLOR !== '0',
    ci: Boolean(CI) && CI !== 'false',
  }
}

export function placesOf({ home, dataHome }: Variables): Places {
  return { home, dataHome }
}
