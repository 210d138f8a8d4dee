/**
 * The certificates of the control plane: issued by the cluster's authority, kept in its folder, and replaced while
 * everything runs, long before they end. Those of nodes are renewed by the nodes (`node-certificates.ts`).
 */

import { every } from '../../base/clock.ts'
import { messageOf } from '../../base/error-text.ts'
import type { Metrics } from '../../base/metrics.ts'
import { type CertificateAuthority, type KeyPair, needsRenewal } from '../../server/auth/certificate-authority.ts'
import { loadOrIssue, removePair, savePair } from '../../server/auth/certificate-files.ts'
import type { Environment } from '../environment.ts'

export interface CertificateParts {
  readonly directory: string
  readonly authority: CertificateAuthority
  readonly environment: Pick<Environment, 'clock' | 'log'>
  readonly signal: AbortSignal
}

export interface PairWish {
  /** Of its files. */
  readonly name: string
  readonly commonName: string
  readonly organizations?: readonly string[] | undefined
  /** DNS names and addresses: a server's. Absent: a client's. */
  readonly names?: readonly string[] | undefined
}

/** A pair that is never near its end. */
export interface KeptPair {
  readonly current: KeyPair
  /** Makes it good for this name as well. */
  cover(name: string): Promise<void>
}

export interface Certificates {
  /** The stored pair, or a new one. */
  issue(wish: PairWish): Promise<KeyPair>
  /** Keeps a pair that somebody else has renewed. */
  replace(name: string, pair: KeyPair): Promise<void>
  /** The files of a pair that nobody needs any more are gone. */
  remove(name: string): Promise<void>
  /** The same, renewed until the signal aborts. `changed` is called with each new pair. */
  keep(wish: PairWish, changed?: (pair: KeyPair) => void): Promise<KeptPair>
}

/** How often ends are looked at, in ms. Nothing that lives a year notices. */
const LOOK_MS = 3_600_000

export function createCertificates({ directory, authority, environment, signal }: CertificateParts): Certificates {
  const { clock, log } = environment
  const issue = ({ name, commonName, organizations, names }: PairWish) =>
    loadOrIssue(directory, {
      ...{ name, authority, names, nowMs: clock.now() },
      issue: () =>
        names === undefined
          ? authority.issueClient({ commonName, organizations })
          : authority.issueServer({ commonName, organizations, names }),
    })
  const keep: Certificates['keep'] = async (first, changed = () => {}) => {
    let wish = first
    let current = await issue(wish)
    const look = async () => {
      const pair = await issue(wish)
      if (pair.certificate === current.certificate) return
      current = pair
      changed(pair)
    }
    every(clock, LOOK_MS, signal, async () => {
      if (!needsRenewal(current.certificate, clock.now())) return
      log.info('a certificate is to be renewed', { certificate: wish.name })
      try {
        await look()
        log.info('a certificate was renewed', { certificate: wish.name })
      } catch (error) {
        log.error('a certificate could not be renewed', { certificate: wish.name, error: messageOf(error) })
      }
    })
    return {
      get current() {
        return current
      },
      cover(name) {
        const { names = [] } = wish
        if (!names.includes(name)) wish = { ...wish, names: [...names, name] }
        return look()
      },
    }
  }
  return {
    issue,
    keep,
    replace: (name, pair) => savePair(directory, name, pair),
    remove: (name) => removePair(directory, name),
  }
}

const HOUR_SECONDS = 3_600
const DAY_SECONDS = 24 * HOUR_SECONDS
/** Upstream's: from nothing over hours and days to a year. */
const LEFT_BUCKETS = [
  ...[0, HOUR_SECONDS / 2, ...[1, 2, 6, 12].map((hours) => hours * HOUR_SECONDS)],
  ...[1, 2, 4, 7, 30, 90, 180, 360].map((days) => days * DAY_SECONDS),
]

/** Observes how long the certificates of clients are still good. */
export function certificateMetric(metrics: Metrics): (leftMs: number) => void {
  const help = 'How long the client certificate of a request is still good, in seconds.'
  const observe = metrics.histogram('apiserver_client_certificate_expiration_seconds', help, LEFT_BUCKETS)
  return (leftMs) => observe({}, leftMs / 1_000)
}
