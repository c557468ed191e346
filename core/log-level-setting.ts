/** The one setting that every process has. */
import type { Setting } from './settings.ts'

export const logLevelSetting = {
  flag: '--log-level',
  env: 'WEFT_LOG_LEVEL',
  kind: 'choice',
  choices: ['trace', 'debug', 'info', 'warn', 'error', 'silent'],
  default: 'info',
  help: 'how much is logged',
} as const satisfies Setting
