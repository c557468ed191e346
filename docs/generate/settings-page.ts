/** Settings of every process -> docs/reference/settings.md. */
import { awaitSettings } from '../../cli/await.ts'
import { initSettings } from '../../cli/init.ts'
import { controlPlaneSettings } from '../../control-plane/settings.ts'
import type { Setting, SettingsTable } from '../../core/settings.ts'
import { injectorSettings } from '../../injector/settings.ts'
import { proxySettings } from '../../proxy/settings.ts'
import { page, table } from './markdown.ts'

function valueOf({ kind, choices }: Setting): string {
  if (choices !== undefined) return choices.map((choice) => `\`${choice}\``).join(', ')
  return kind === 'durationMs' ? 'duration' : kind
}

function bounds({ min, max }: Setting): string {
  if (min !== undefined && max !== undefined) return `, ${min} to ${max}`
  if (min !== undefined) return `, at least ${min}`
  return max === undefined ? '' : `, at most ${max}`
}

function defaultOf(setting: Setting): string {
  if (setting.required === true) return 'required'
  if (setting.requiredWithout !== undefined) return `required without \`${setting.requiredWithout}\``
  return setting.default === undefined || setting.default === '' ? '' : `\`${setting.default}\``
}

function section(title: string, settings: SettingsTable): string {
  const rows = Object.values<Setting>(settings).map((setting) => [
    `\`${setting.flag}\``,
    `\`${setting.env}\``,
    `${valueOf(setting)}${bounds(setting)}`,
    defaultOf(setting),
    setting.help,
  ])
  return `## ${title}\n\n${table(['flag', 'environment', 'value', 'default', 'what it does'], rows)}`
}

export function settingsPage(): string {
  return page(
    'Settings',
    'Every setting is a flag (`--name value` or `--name=value`; a boolean `--name` or `--name=false`) or a variable of the environment; the flag wins, and an empty variable counts as not set. All problems are reported at once, with `CONFIG_INVALID`. Durations are written `250ms`, `1.5s`, `10m`, `24h`; addresses `host:port`, `[::1]:80` or `:8080`; bounds of durations are in milliseconds, those of sizes in bytes.',
    section('The sidecar: `weft proxy`', proxySettings),
    section('The control plane: `weft control-plane`', controlPlaneSettings),
    section('The injector: `weft injector`', injectorSettings),
    section('Redirection: `weft init`', initSettings),
    section('Waiting for the sidecar: `weft await`', awaitSettings),
  )
}
