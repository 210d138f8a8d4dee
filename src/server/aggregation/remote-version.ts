/** A group version that another server serves, as its APIService says where and with what trust: pure. */

import { AVAILABLE } from '../../apis/apiregistration/api-service.ts'
import type { APIService } from '../../apis/apiregistration/types.gen.ts'
import { findCondition } from '../../machinery/meta/conditions.ts'
import type { GroupVersion } from '../../machinery/meta/group-version.ts'

export interface RemoteVersion extends GroupVersion {
  readonly service: { readonly namespace: string; readonly name: string; readonly port: number }
  /** PEM. Absent: the authorities that the machine trusts. */
  readonly ca?: string | undefined
  /** Takes whatever certificate the server shows. */
  readonly insecure: boolean
  /** Whether the last check found it answering. */
  readonly available: boolean
}

const DEFAULT_PORT = 443
/** Who serves what is the one thing that nobody else may say. */
const OWN_GROUP = 'apiregistration.k8s.io'

/** Undefined: this server serves the version itself. */
export function remoteVersion({ spec, status }: APIService): RemoteVersion | undefined {
  const { group = '', version = '', service, caBundle, insecureSkipTLSVerify = false } = spec
  if (service === undefined || group === '' || group === OWN_GROUP) return undefined
  const { namespace = '', name = '', port = DEFAULT_PORT } = service
  return {
    group,
    version,
    service: { namespace, name, port },
    ...(caBundle && { ca: Buffer.from(caBundle, 'base64').toString('utf8') }),
    insecure: insecureSkipTLSVerify,
    available: findCondition(status?.conditions, AVAILABLE)?.status === 'True',
  }
}
