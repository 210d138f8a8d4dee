/**
 * The command tree. Each command's code is loaded when it runs: what is not asked for costs no start-up time. The exit
 * codes are in `failure.ts`.
 */

import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { systemClock } from '../base/clock.ts'
import { nearest } from '../base/nearest.ts'
import { RUN_COMMAND } from './background-command.ts'
import type { DownOptions } from './commands/down.ts'
import type { KubeconfigOptions } from './commands/kubeconfig.ts'
import type { LogsOptions } from './commands/logs.ts'
import type { CreateNodeOptions, DeleteNodeOptions } from './commands/node.ts'
import type { GetOptions } from './commands/status.ts'
import type { StartOptions, UpOptions } from './commands/up.ts'
import { type CommandContext, Interrupted, type OutputFormat } from './context.ts'
import { Failure, failureOf } from './failure.ts'
import { createTerminal, type Terminal } from './output/terminal.ts'
import { type EnvironmentVariables, readVariables, type Variables } from './variables.ts'

interface GlobalFlags {
  readonly name?: string
  readonly namespace: string
  readonly output: OutputFormat
  readonly quiet?: boolean
  readonly verbosity: number
  readonly color: 'auto' | 'always' | 'never'
  readonly progress: 'auto' | 'plain' | 'json' | 'none'
}

/** What a command does. A number is its exit code; everything else means 0. */
type Action<Flags> = (context: CommandContext, input: Input<Flags>) => Promise<unknown>

interface Input<Flags> {
  readonly words: readonly (string | undefined)[]
  /** The words of a variadic argument. */
  readonly list: readonly string[]
  /** The command's own flags, as their definitions below read them. */
  readonly flags: Flags
}

type Perform = <Flags = unknown>(action: Action<Flags>) => (...given: unknown[]) => Promise<void>

export async function main(words: readonly string[], environment: EnvironmentVariables): Promise<number> {
  const variables = readVariables(environment)
  const outcome = { exitCode: 0, terminal: terminalFor(variables, undefined) }
  using interrupts = interruptSignal()
  const perform: Perform = (action) => performer(action, variables, interrupts.signal, outcome)
  const program = commandTree(perform)
  try {
    await program.parseAsync([...words], { from: 'user' })
    return outcome.exitCode
  } catch (error) {
    if (error instanceof Interrupted) return error.exitCode
    if (error instanceof CommanderError && error.exitCode === 0) return 0
    const failure = error instanceof CommanderError ? usageFailure(error, program) : failureOf(error)
    outcome.terminal.fail(failure)
    return failure.exitCode
  }
}

function performer<Flags>(
  action: Action<Flags>,
  variables: Variables,
  interrupted: AbortSignal,
  outcome: { exitCode: number; terminal: Terminal },
) {
  return async (...given: unknown[]) => {
    const command = given.at(-1) as Command
    const flags = command.optsWithGlobals<GlobalFlags & Flags>()
    outcome.terminal = terminalFor(variables, flags)
    const context: CommandContext = {
      variables,
      terminal: outcome.terminal,
      clock: systemClock,
      globals: { cluster: flags.name, namespace: flags.namespace, output: flags.output },
      interrupted,
    }
    const positional = given.slice(0, -2)
    const words = positional.filter((word) => !Array.isArray(word)) as (string | undefined)[]
    const list = positional.flatMap((word) => (Array.isArray(word) ? (word as string[]) : []))
    const result = await action(context, { words, list, flags })
    outcome.exitCode = typeof result === 'number' ? result : 0
  }
}

function terminalFor({ noColor, forceColor, ci }: Variables, flags: GlobalFlags | undefined): Terminal {
  return createTerminal({
    color: flags?.color ?? 'auto',
    progress: flags?.progress ?? 'auto',
    quiet: flags?.quiet ?? false,
    verbosity: flags?.verbosity ?? 0,
    noColor,
    forceColor,
    ci,
  })
}

/** The first signal asks the command to end; a second one ends the process at once, as if nobody listened. */
function interruptSignal(): { readonly signal: AbortSignal } & Disposable {
  const controller = new AbortController()
  const onSignal = (name: 'SIGINT' | 'SIGTERM') => {
    stopListening()
    controller.abort(new Interrupted(name))
  }
  const stopListening = () => {
    process.off('SIGINT', onSignal)
    process.off('SIGTERM', onSignal)
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  return { signal: controller.signal, [Symbol.dispose]: stopListening }
}

function commandTree(perform: Perform): Command {
  const program = new Command('t8s')
    .description('Kubernetes in TypeScript: clusters on this machine.')
    .helpCommand(false)
    .exitOverride()
    .showHelpAfterError(false)
    .configureOutput({ writeErr: () => {} })
    .configureHelp({ optionDescription: ({ description }) => description, subcommandTerm: termOf })
    .option('--name <cluster>', 'the cluster (default: t8s, or $T8S_CLUSTER)')
    .option('-n, --namespace <namespace>', 'of the object (default: default)', 'default')
    .addOption(
      new Option('-o, --output <format>', 'text, json, yaml or name')
        .choices(['text', 'json', 'yaml', 'name', 'wide'])
        .default('text'),
    )
    .option('-q, --quiet', 'no progress; errors are still shown')
    .option('-v, --verbosity <level>', '0 to 9; from 6 on, errors have stacks', wholeNumber, 0)
    .addOption(
      new Option('--color <when>', 'auto, always or never').choices(['auto', 'always', 'never']).default('auto'),
    )
    .addOption(
      new Option('--progress <style>', 'auto, plain, json or none')
        .choices(['auto', 'plain', 'json', 'none'])
        .default('auto'),
    )
  addLifecycle(program, perform)
  addQuestions(program, perform)
  addNodes(program, perform)
  addRotations(program, perform)
  addTools(program, perform)
  return program
}

function addLifecycle(program: Command, perform: Perform): void {
  startOptions(program.command('up').argument('[name]', 'the cluster'))
    .description('Make a cluster if missing, and start it.')
    .option('-d, --detach', 'return when it is ready; it runs on in the background')
    .option('--nodes <count>', 'nodes of a new cluster (default: 1)', wholeNumber)
    .option('--simulated [count]', 'simulated nodes: all of them, or so many', wholeNumber)
    .addOption(
      new Option('--runtime <kind>', 'of the nodes: auto, docker or simulated')
        .choices(['auto', 'docker', 'simulated'])
        .default('auto'),
    )
    .addOption(new Option('--data <place>', 'where objects are kept: disk or memory').choices(['memory', 'disk']))
    .option('--port <port>', 'of the API server (default: 6443); 0: any free one', wholeNumber)
    .option('--pod-cidr <range>', 'addresses of pods (default: 10.244.0.0/16)')
    .option('--service-cidr <range>', 'addresses of services (default: 10.96.0.0/16)')
    .option('--node-cidr <range>', 'addresses of Docker nodes (default: a free one)')
    .option('--domain <name>', 'DNS domain of services (default: cluster.local)')
    .option('--config <file>', 'a Cluster document; -: from the standard input')
    .option('--dry-run', 'print the configuration and do nothing')
    .action(
      perform<UpOptions>(async (context, { words, flags }) =>
        (await import('./commands/up.ts')).up(context, words[0], flags),
      ),
    )
  startOptions(program.command('start').argument('[name]', 'the cluster'))
    .description('Start a stopped cluster in the background.')
    .action(
      perform<StartOptions>(async (context, { words, flags }) =>
        (await import('./commands/up.ts')).start(context, words[0], flags),
      ),
    )
  program
    .command('stop')
    .argument('[name]', 'the cluster')
    .description('End its process; state and containers are kept.')
    .action(perform(async (context, { words }) => (await import('./commands/down.ts')).stop(context, words[0])))
  program
    .command('down')
    .argument('[name]', 'the cluster')
    .description('Stop it and delete everything it made.')
    .option('--all', 'every cluster')
    .action(
      perform<DownOptions>(async (context, { words, flags }) =>
        (await import('./commands/down.ts')).down(context, words[0], flags),
      ),
    )
  program
    .command(RUN_COMMAND, { hidden: true })
    .argument('<directory>')
    .action(
      perform<GlobalFlags>(async (context, { words, flags }) =>
        (await import('./commands/up.ts')).runDetached(context, words[0] ?? '', flags.verbosity),
      ),
    )
}

function startOptions(command: Command): Command {
  return command
    .option('--keep-context', "leave kubectl's current context alone")
    .option('--kubeconfig <path>', 'merge into this file; -: print it instead')
    .addOption(
      new Option('--wait <until>', 'until ready, or none: until the API answers')
        .choices(['ready', 'none'])
        .default('ready'),
    )
    .option('--timeout <duration>', 'to wait (default: 2m); then what was made goes', '2m')
}

function addQuestions(program: Command, perform: Perform): void {
  program
    .command('status')
    .argument('[name]', 'the cluster')
    .description('One screen; exit code 1 when it is stopped.')
    .action(perform(async (context, { words }) => (await import('./commands/status.ts')).status(context, words[0])))
  program
    .command('get')
    .argument('<resource>', 'clusters or nodes')
    .argument('[cluster]', 'whose nodes')
    .description('List clusters, or the nodes of one.')
    .option('--no-headers', 'rows only')
    .action(
      perform<GetOptions>(async (context, { words, flags }) =>
        (await import('./commands/status.ts')).get(context, words[0] ?? '', words[1], flags),
      ),
    )
  program
    .command('why')
    .argument('<pod>', 'pod/NAME')
    .description('Why a pod is pending, and what would help.')
    .action(perform(async (context, { words }) => (await import('./commands/why.ts')).why(context, words[0] ?? '')))
  program
    .command('logs')
    .argument('[component]', 'a controller, controller/NAME or kubelet/NODE; audit: what was asked of the API')
    .description("The log of a cluster's process.")
    .option('-f, --follow', 'go on with what is written')
    .option('--since <duration>', 'only what is newer, as 5m')
    .action(
      perform<LogsOptions>(async (context, { words, flags }) =>
        (await import('./commands/logs.ts')).logs(context, words[0], flags),
      ),
    )
}

function addNodes(program: Command, perform: Perform): void {
  program
    .command('create')
    .helpCommand(false)
    .description('Add nodes to a running cluster.')
    .command('node')
    .argument('<names...>', 'of the nodes')
    .description('Add nodes to a running cluster.')
    .option('--simulated', 'without Docker: their pods are simulated')
    .action(
      perform<CreateNodeOptions>(async (context, { list, flags }) =>
        (await import('./commands/node.ts')).createNodes(context, list, flags),
      ),
    )
  program
    .command('delete')
    .helpCommand(false)
    .description('Remove nodes and what runs on them.')
    .command('node')
    .argument('<names...>', 'of the nodes')
    .description('Remove nodes and what runs on them.')
    .option('--ignore-not-found', 'no error for a node that is not there')
    .action(
      perform<DeleteNodeOptions>(async (context, { list, flags }) =>
        (await import('./commands/node.ts')).deleteNodes(context, list, flags),
      ),
    )
}

function addRotations(program: Command, perform: Perform): void {
  const rotate = program.command('rotate').helpCommand(false).description('Give a cluster a new key.')
  rotate
    .command('encryption-key')
    .argument('[name]', 'the cluster')
    .description('Encrypt the secrets of a running cluster at rest with a new key.')
    .action(
      perform(async (context, { words }) =>
        (await import('./commands/rotate.ts')).rotateEncryptionKey(context, words[0]),
      ),
    )
  rotate
    .command('ca')
    .argument('[name]', 'the cluster')
    .description('Give a stopped cluster a new certificate authority.')
    .action(
      perform(async (context, { words }) =>
        (await import('./commands/rotate-stopped.ts')).rotateAuthority(context, words[0]),
      ),
    )
  rotate
    .command('signing-key')
    .argument('[name]', 'the cluster')
    .description('Give a stopped cluster a new key for the tokens of service accounts.')
    .action(
      perform(async (context, { words }) =>
        (await import('./commands/rotate-stopped.ts')).rotateSigningKey(context, words[0]),
      ),
    )
}

function addTools(program: Command, perform: Perform): void {
  program
    .command('kubeconfig')
    .argument('[name]', 'the cluster')
    .description("Print a cluster's kubeconfig.")
    .option('--merge', "merge it into kubectl's files and make it current")
    .option('--path', 'print where it is')
    .option('--user <name>', 'for this user, with a new certificate')
    .option('--group <name>', 'a group of that user; repeatable', appended)
    .action(
      perform<KubeconfigOptions>(async (context, { words, flags }) =>
        (await import('./commands/kubeconfig.ts')).kubeconfig(context, words[0], flags),
      ),
    )
  program
    .command('doctor')
    .description('What this machine lacks, and the remedy.')
    .action(perform(async (context) => (await import('./commands/doctor.ts')).doctor(context)))
  program
    .command('completion')
    .argument('<shell>', 'bash, zsh, fish or powershell')
    .description('A script for bash, zsh, fish or powershell.')
    .action(
      perform(async (context, { words }) =>
        (await import('./commands/completion.ts')).completion(context, program, words[0] ?? ''),
      ),
    )
  program
    .command('version')
    .description('This program, its API, the running clusters.')
    .action(perform(async (context) => (await import('./commands/version.ts')).version(context)))
}

/** Without `[options]`: every command has some. */
function termOf(command: Command): string {
  const words = command.registeredArguments.map((argument) => {
    const name = argument.variadic ? `${argument.name()}...` : argument.name()
    return argument.required ? `<${name}>` : `[${name}]`
  })
  const inner = command.commands.map((child) => child.name())
  return [command.name(), ...inner, ...words].join(' ')
}

function wholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It is not a whole number.')
}

function appended(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value]
}

/** Commander's error in our words. */
function usageFailure(error: CommanderError, program: Command): Failure {
  const text = error.message.replace(/^error: /, '').replace(/\n.*/s, '')
  const unknown = error.code === 'commander.unknownCommand' ? /'(.+?)'/.exec(text)?.[1] : undefined
  if (error.code === 'commander.help' || text === '(outputHelp)')
    return new Failure({ reason: 'Usage', message: 'A command is missing.', next: [['t8s --help', 'all commands']] })
  const meant = unknown
    ? nearest(
        unknown,
        program.commands.map((command) => command.name()),
      )
    : undefined
  return new Failure({
    reason: 'Usage',
    message: unknown ? `There is no command "${unknown}".${meant ? ` Did you mean "${meant}"?` : ''}` : sentence(text),
    next: [['t8s --help', 'all commands']],
  })
}

function sentence(text: string): string {
  const capital = text.charAt(0).toUpperCase() + text.slice(1)
  return /[.?!]$/.test(capital) ? capital : `${capital}.`
}
