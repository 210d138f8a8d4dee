/** What is wrong with a configuration, for people. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}
