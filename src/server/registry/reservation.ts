/** For resources that reserve nothing. */

import type { KubeObject } from '../../machinery/meta/object.ts'
import type { Reservation } from './admission-hooks.ts'

export function noReservation<T extends KubeObject>(object: T): Reservation<T> {
  return { object, commit: nothing, release: nothing }
}

function nothing(): void {}
