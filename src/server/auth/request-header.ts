/**
 * Callers that a front proxy vouches for: `X-Remote-User` and its kin, which mean something only on a connection with a
 * certificate of the front proxy's own authority, for one of its names. They end here, whoever sent them.
 */

import type { ApiRequest } from '../../machinery/wire/message.ts'
import { ABSENT, type Authentication, type Authenticator } from './authenticator.ts'
import { extraValues, hasHeaderWith, headerValues } from './header-values.ts'

const PREFIX = 'x-remote-'
const USER = `${PREFIX}user`
const UID = `${PREFIX}uid`
const GROUP = `${PREFIX}group`
const EXTRA_PREFIX = `${PREFIX}extra-`

/** `names`: common names of certificates that are the front proxy's. */
export function requestHeaders(names: readonly string[]): Authenticator {
  return {
    authenticate(request): Authentication {
      const { frontProxy } = request
      if (frontProxy === undefined) return ABSENT
      if (!names.includes(frontProxy))
        return { outcome: 'failed', reason: `x509: subject with cn=${frontProxy} is not in the allowed list` }
      const [name = '', ...otherNames] = headerValues(request, USER)
      const [uid = '', ...otherUids] = headerValues(request, UID)
      if (name === '') return ABSENT
      if (otherNames.length > 0 || otherUids.length > 0)
        return { outcome: 'failed', reason: 'the front proxy names more than one user' }
      const groups = headerValues(request, GROUP).filter((group) => group !== '')
      const extra = extraValues(request, EXTRA_PREFIX)
      return { outcome: 'user', user: { name, groups, extra, ...(uid !== '' && { uid }) } }
    },
  }
}

/** The request without them: nobody behind authentication is to believe them. */
export function withoutRemoteHeaders(request: ApiRequest): ApiRequest {
  if (!hasHeaderWith(request, PREFIX)) return request
  const isOther = (name: string) => !name.toLowerCase().startsWith(PREFIX)
  const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => isOther(name)))
  const rawHeaders = request.rawHeaders?.filter((_, index, all) => isOther(all[index - (index % 2)] ?? ''))
  return { ...request, headers, rawHeaders }
}
