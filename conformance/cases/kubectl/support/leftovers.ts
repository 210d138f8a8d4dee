/** What a cluster can leave on a machine, as the machine's own tools list it. */

import { runCommand } from './command.ts'

/** Commands whose output names what a cluster can leave on a machine, one thing per line. */
const INVENTORIES: readonly (readonly [string, ...string[]])[] = [
  ['docker', 'ps', '--all', '--format', '{{.Names}} {{.Labels}}'],
  ['docker', 'network', 'ls', '--format', '{{.Name}} {{.Labels}}'],
  ['docker', 'volume', 'ls', '--format', '{{.Name}} {{.Labels}}'],
  ['docker', 'images', '--format', '{{.Repository}}'],
  ['ip', 'route', 'show', 'table', 'all'],
  ['ip', '-o', 'link', 'show'],
  ['nft', 'list', 'tables'],
  ['cat', '/proc/mounts'],
  ['ps', '-eo', 'pid,args'],
]

/** Every line of the inventories that holds one of the marks: the cluster's name, folder and addresses. */
export async function leftovers(marks: readonly string[]): Promise<readonly string[]> {
  const outputs = await Promise.all(
    INVENTORIES.map(async ([program, ...parameters]) => {
      const { stdout } = await runCommand(program, parameters)
      const lines = stdout.split('\n').filter((line) => marks.some((mark) => line.includes(mark)))
      return lines.map((line) => `${program}: ${line}`)
    }),
  )
  return outputs.flat()
}
