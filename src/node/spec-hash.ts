/** The part of a container's spec whose change replaces the running container: its image. */

import type { Container, EphemeralContainer } from '../apis/core/types.gen.ts'
import { sha256Hex } from '../base/hash.ts'

/** Digits of the digest: enough to tell two specs of one container apart. */
const DIGITS = 16

/** Name and image are what the API lets a running pod change; resources are resized in place. */
export function specHash({ name, image }: Container | EphemeralContainer): string {
  return sha256Hex(JSON.stringify([name, image])).slice(0, DIGITS)
}
