/** `t8s rotate encryption-key`: what is encrypted at rest is encrypted with a new key, while the cluster runs. */

import type { KeyRotation } from '../../cluster/security/key-rotation.ts'
import { type CommandContext, clusterName, printValue } from '../context.ts'
import { openControl } from '../control.ts'
import { runningStateOf } from '../state.ts'

export async function rotateEncryptionKey(context: CommandContext, name: string | undefined): Promise<void> {
  const { config } = await runningStateOf(context, clusterName(context, name))
  using control = await openControl(config)
  const options = { method: 'POST', signal: context.interrupted }
  const rotation = (await control.json('/t8s/encryption-key', options)) as KeyRotation
  await printValue(context, rotation, () => `${rotation.key} created; secrets written with it: ${rotation.written}\n`)
}
