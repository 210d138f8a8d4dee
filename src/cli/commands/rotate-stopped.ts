/** `t8s rotate ca`, `t8s rotate signing-key`: what a stopped cluster signs with from its next start on. */

import { replaceAuthorities, replaceTokenKey } from '../../cluster/credentials.ts'
import { type CommandContext, clusterName } from '../context.ts'
import { Failure } from '../failure.ts'
import { phaseOf, stateOf } from '../state.ts'

export async function rotateAuthority(context: CommandContext, argument: string | undefined): Promise<void> {
  const { name, directory } = await stopped(context, argument)
  if (!(await replaceAuthorities(directory)))
    throw new Failure({ reason: 'NotRunning', message: `Cluster "${name}" has never been started.` })
  context.terminal.say('t8s: the next start issues every certificate anew; those of the old authority stay good')
}

export async function rotateSigningKey(context: CommandContext, argument: string | undefined): Promise<void> {
  const { directory } = await stopped(context, argument)
  await replaceTokenKey(directory)
  context.terminal.say('t8s: from the next start on tokens are signed with a new key; older ones stay good')
}

async function stopped(context: CommandContext, argument: string | undefined) {
  const name = clusterName(context, argument)
  const state = await stateOf(context, name)
  if (phaseOf(state) === 'Stopped') return { name, directory: state.config.directory }
  throw new Failure({
    reason: 'AlreadyRunning',
    message: `Cluster "${name}" is running.`,
    detail: 'What it signs with is read when it starts.',
    next: [
      [name === 't8s' ? 't8s stop' : `t8s stop ${name}`, 'stop it; pods go on'],
      ['t8s start', 'start it again'],
    ],
  })
}
