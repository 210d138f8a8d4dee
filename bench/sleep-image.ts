/** An image of this machine's static busybox that sleeps, made here: no registry is asked. */

import { capture } from '../scripts/command.ts'

export const SLEEP_IMAGE = 't8s-bench/sleep:1'

export function createSleepImage(): void {
  const script = `tar -C /bin -c busybox | docker import --change 'CMD ["/busybox","sleep","2147483"]' - ${SLEEP_IMAGE}`
  const { code, output } = capture('sh', ['-c', script])
  if (code !== 0) throw new Error(`the image ${SLEEP_IMAGE} could not be made: ${output}`)
}

export function removeSleepImage(): void {
  capture('docker', ['rmi', SLEEP_IMAGE])
}
