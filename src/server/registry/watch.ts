/** Watches: where they begin, and which combinations of parameters are refused, in upstream's words. */

import { type FieldError, forbidden, notSupported, rootPath } from '../../machinery/meta/field-error.ts'
import type { FieldSelector } from '../../machinery/meta/fields.ts'
import type { Selector } from '../../machinery/meta/labels.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import { parseResourceVersion } from '../../machinery/meta/resource-version.ts'
import type { WatchQuery } from '../../watch/watch-cache.ts'
import type { Watcher } from '../../watch/watcher.ts'
import type { RegistryContext } from './context.ts'
import { invalidListOptions } from './list.ts'
import { selectionOf } from './selection.ts'

export interface WatchOptions {
  /** Empty: all namespaces. */
  readonly namespace: string
  readonly labels?: Selector | undefined
  readonly fields?: FieldSelector | undefined
  readonly resourceVersion: string
  readonly resourceVersionMatch: string
  /** Undefined: not said. */
  readonly sendInitialEvents: boolean | undefined
  readonly allowBookmarks: boolean
  /** Ends the watch. */
  readonly signal: AbortSignal
}

/** Throws 410 Expired when the revision is no longer kept. */
export function watch<T extends KubeObject>({ cache }: RegistryContext<T>, options: WatchOptions): Promise<Watcher> {
  const errors = watchErrors(options)
  if (errors.length > 0) throw invalidListOptions(errors)
  const { signal, allowBookmarks: bookmarks } = options
  return cache.watch({ ...selectionOf(options), ...beginning(options), bookmarks, signal })
}

function beginning(options: WatchOptions): Pick<WatchQuery, 'from' | 'notOlderThan' | 'initialEventsEnd'> {
  const { resourceVersion, sendInitialEvents, allowBookmarks } = options
  const version = parseResourceVersion(resourceVersion)
  if (sendInitialEvents) return { from: 'initial', notOlderThan: version, initialEventsEnd: allowBookmarks }
  if (version > 0) return { from: version }
  return { from: sendInitialEvents === undefined ? 'initial' : 'now' }
}

function watchErrors({ sendInitialEvents, resourceVersionMatch }: WatchOptions): readonly FieldError[] {
  const path = rootPath.child('resourceVersionMatch')
  if (sendInitialEvents === undefined) {
    if (resourceVersionMatch === '') return []
    return [forbidden(path, 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided')]
  }
  if (resourceVersionMatch === 'NotOlderThan') return []
  const required = forbidden(path, 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan')
  return resourceVersionMatch === ''
    ? [required]
    : [required, notSupported(path, resourceVersionMatch, ['NotOlderThan'])]
}
