/** From where a request came, as far as its headers and its connection tell. Only the last address is proved. */

import { isIp } from '../../base/ip.ts'
import type { ApiRequest } from '../../machinery/wire/message.ts'

/** Addresses that are taken from `X-Forwarded-For`: a header may have room for thousands. */
const FORWARDED_MAX = 32

/** What proxies say they forwarded for, what they call the real address, and the connection's own. */
export function sourceAddresses({
  headers,
  remoteAddress,
}: Pick<ApiRequest, 'headers' | 'remoteAddress'>): readonly string[] {
  const named = (headers['x-forwarded-for'] ?? '').split(',', FORWARDED_MAX).map((text) => text.trim())
  const addresses = named.filter(isIp)
  const real = headers['x-real-ip']?.trim() ?? ''
  if (isIp(real) && !addresses.includes(real)) addresses.push(real)
  if (remoteAddress !== undefined && addresses.at(-1) !== remoteAddress) addresses.push(remoteAddress)
  return addresses
}
