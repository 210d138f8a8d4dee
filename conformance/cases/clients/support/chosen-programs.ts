/** The languages that play: all of them, or those that T8S_CLIENTS names, such as `go,java`. */

import { CLIENT_LANGUAGES, type ClientLanguage, type ClientProgram, clientProgram } from '../../../clients.ts'

/** Fetches and builds what is missing, one after the other. */
export async function chosenPrograms(): Promise<ReadonlyMap<ClientLanguage, ClientProgram>> {
  const named = process.env.T8S_CLIENTS?.split(',') ?? CLIENT_LANGUAGES
  const programs = new Map<ClientLanguage, ClientProgram>()
  for (const language of CLIENT_LANGUAGES)
    if (named.includes(language)) programs.set(language, await clientProgram(language, console.info))
  return programs
}
