/** Named moments at which a test makes the storage fail, wait or die. In production nobody listens and nothing happens. */

export type FailpointName =
  /** The batch is ready and has not been handed to the disk. */
  | 'storage.beforeSync'
  /** The batch is durable; nobody knows yet. */
  | 'storage.afterSync'
  /** A step of compaction is ready. */
  | 'storage.beforeCompact'
  /** The database is about to be closed and opened again after a write error. */
  | 'storage.beforeReopen'

/** What throws here fails like the disk would. */
export type Failpoint = (name: FailpointName) => Promise<void> | void

export const noFailpoint: Failpoint = () => {}
