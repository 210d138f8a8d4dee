/** Pure: the grammar of image references. Whatever is no reference never becomes part of a request. */

import { RuntimeError } from './runtime.ts'

/** An optional host, a path without capitals, an optional tag and digest; `sha256:…` is a path with a tag. */
const REFERENCE =
  /^(?:[A-Za-z0-9][A-Za-z0-9.-]*(?::\d+)?\/)?[a-z0-9]+(?:(?:[._/]|__|-+)[a-z0-9]+)*(?::\w[\w.-]{0,127})?(?:@[a-z0-9]+:[0-9a-f]{32,})?$/

/** Upstream's limit of a repository's name, with a tag and a digest. */
const REFERENCE_LENGTH_MAX = 512

/** Throws `InvalidImageName`. */
export function checkReference(reference: string): void {
  if (reference.length <= REFERENCE_LENGTH_MAX && REFERENCE.test(reference)) return
  const shown = reference.slice(0, REFERENCE_LENGTH_MAX)
  throw new RuntimeError('InvalidImageName', `couldn't parse image name "${shown}": invalid reference format`)
}

/** Without a tag an engine would pull every one that there is. */
export function withTag(reference: string): string {
  const name = reference.slice(reference.lastIndexOf('/') + 1)
  return name.includes(':') || name.includes('@') ? reference : `${reference}:latest`
}

export function registryOf(reference: string): string {
  const [first = '', ...rest] = reference.split('/')
  const isHost = rest.length > 0 && (first.includes('.') || first.includes(':') || first === 'localhost')
  return isHost ? first : 'https://index.docker.io/v1/'
}
