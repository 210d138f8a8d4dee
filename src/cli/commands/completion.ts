/** `t8s completion`: a script for a shell, made from the command tree. The tree is fixed, so nothing is asked later. */

import type { Command } from 'commander'
import type { CommandContext } from '../context.ts'
import { Failure } from '../failure.ts'

/** The words that may follow a path of commands: `''`, `up`, `create node`. */
export type Candidates = ReadonlyMap<string, readonly string[]>

const SHELLS: Readonly<Record<string, (candidates: Candidates) => string>> = { bash, zsh, fish, powershell }

export async function completion(context: CommandContext, program: Command, shell: string): Promise<void> {
  const write = Object.hasOwn(SHELLS, shell) ? SHELLS[shell] : undefined
  if (!write)
    throw new Failure({
      reason: 'Usage',
      message: `There is no completion for "${shell}".`,
      next: [['t8s completion bash', 'or zsh, fish, powershell']],
    })
  context.terminal.print(write(candidatesOf(program)))
}

export function candidatesOf(program: Command): Candidates {
  const globals = flagsOf(program)
  const result = new Map<string, readonly string[]>()
  const visit = (command: Command, path: readonly string[]) => {
    const visible = command.createHelp().visibleCommands(command)
    const own = command === program ? [] : flagsOf(command)
    const resources = path.join(' ') === 'get' ? ['clusters', 'nodes'] : []
    result.set(path.join(' '), [...visible.map((child) => child.name()), ...resources, ...own, ...globals])
    for (const child of visible) visit(child, [...path, child.name()])
  }
  visit(program, [])
  return result
}

function flagsOf(command: Command): readonly string[] {
  return command.options.filter(({ hidden }) => !hidden).flatMap(({ long }) => (long ? [long] : []))
}

/** Cases that map a path to its candidates, in the shell's own spelling. */
function cases(candidates: Candidates, line: (path: string, words: string) => string): string {
  return [...candidates].map(([path, words]) => line(path, words.join(' '))).join('\n')
}

function bash(candidates: Candidates): string {
  return `# t8s completion for bash: source <(t8s completion bash)
_t8s() {
  local path="" word candidates=""
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) ;; *) [ -z "$path" ] && path="$word" || { case "$path" in create|delete) path="$path $word" ;; esac; } ;; esac
  done
  case "$path" in
${cases(candidates, (path, words) => `    "${path}") candidates="${words}" ;;`)}
  esac
  COMPREPLY=($(compgen -W "$candidates" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _t8s t8s
`
}

function zsh(candidates: Candidates): string {
  return `#compdef t8s
# t8s completion for zsh: source <(t8s completion zsh)
_t8s() {
  local path_="" word candidates=""
  for word in "\${(@)words[2,CURRENT-1]}"; do
    [[ "$word" == -* ]] && continue
    if [[ -z "$path_" ]]; then path_="$word"; elif [[ "$path_" == (create|delete) ]]; then path_="$path_ $word"; fi
  done
  case "$path_" in
${cases(candidates, (path, words) => `    "${path}") candidates="${words}" ;;`)}
  esac
  compadd -- \${=candidates}
}
compdef _t8s t8s
`
}

function fish(candidates: Candidates): string {
  const lines = [...candidates].flatMap(([path, words]) => {
    const [first, second] = path.split(' ')
    const seen = [first, second].filter(Boolean).map((word) => `__fish_seen_subcommand_from ${word}`)
    const condition = path === '' ? '__fish_use_subcommand' : seen.join('; and ')
    return [`complete -c t8s -n '${condition}' -a '${words.join(' ')}'`]
  })
  return `# t8s completion for fish: t8s completion fish | source\n${lines.join('\n')}\n`
}

function powershell(candidates: Candidates): string {
  return `# t8s completion for PowerShell: t8s completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName t8s -ScriptBlock {
  param($word, $tree, $position)
  $words = @($tree.CommandElements | Select-Object -Skip 1 | ForEach-Object { "$_" } | Where-Object { $_ -notlike '-*' -and $_ -ne $word })
  $path = if ($words.Count -gt 1 -and $words[0] -in 'create', 'delete') { "$($words[0]) $($words[1])" } else { "$($words[0])" }
  $candidates = switch ($path) {
${cases(candidates, (path, words) => `    '${path}' { '${words}' }`)}
  }
  -split $candidates | Where-Object { $_ -like "$word*" }
}
`
}
