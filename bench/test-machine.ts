/** A machine for tests of reports. */

import type { MachineCard } from './machine.ts'

export const MACHINE: MachineCard = {
  cpu: 'EPYC',
  cores: 2,
  memoryGiB: 8,
  architecture: 'x64',
  kernel: '6',
  fileSystem: 'ext4',
  node: 'v26',
  go: 'go1.26',
  fdatasyncMs: { p50: 1, p99: 2 },
  loopbackUs: 20,
  encryptionMBs: 3_000,
  calibrationMs: 30,
  load: 0,
}
