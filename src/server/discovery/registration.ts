/** What discovery knows of a group version beyond its definitions: where it stands, and who serves it. */

import type { GroupVersion } from '../../machinery/meta/group-version.ts'
import type { APIVersionDiscovery } from './discovery-list.ts'

export interface Registration extends GroupVersion {
  readonly groupPriority: number
  readonly versionPriority: number
  /** What the server behind this one says of it. Absent: this server serves the version. */
  readonly remote?: APIVersionDiscovery | undefined
}
