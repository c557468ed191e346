/** `weft await`: ends when the sidecar of this pod is ready, so that an application need not start before it. */
import { get } from 'node:http'
import { ports } from '../api/ports.ts'
import { type Clock, systemClock } from '../core/clock.ts'
import { reasonOf, WeftError } from '../core/errors.ts'
import { runMain } from '../core/main-guard.ts'
import { asksForHelp, readSettings, settingsHelp, type SettingsTable } from '../core/settings.ts'

export const awaitSettings = {
  adminPort: {
    flag: '--admin-port',
    env: 'WEFT_ADMIN_PORT',
    kind: 'port',
    default: String(ports.sidecarAdmin),
    help: "the sidecar's own pages",
  },
  timeout: {
    flag: '--timeout',
    env: 'WEFT_AWAIT_TIMEOUT',
    kind: 'durationMs',
    default: '2m',
    help: 'after which it fails',
  },
} as const satisfies SettingsTable

const againMs = 200
const requestTimeoutMs = 2_000

/** True, or why not. */
function ask(port: number): Promise<true | string> {
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, path: '/ready', agent: false }, (reply) => {
      let text = ''
      reply.setEncoding('utf8').on('data', (piece: string) => (text += piece))
      reply.on('error', (error) => resolve(reasonOf(error)))
      reply.on('end', () => resolve(reply.statusCode === 200 ? true : text.trim()))
    })
    request.setTimeout(requestTimeoutMs, () => request.destroy(new Error('it does not answer')))
    request.on('error', (error) => resolve(reasonOf(error)))
  })
}

/** Rejects with SIDECAR_NOT_READY and what it waits for. */
export async function awaitSidecar(port: number, timeoutMs: number, clock: Clock): Promise<void> {
  const endMs = clock.monotonicMs() + timeoutMs
  for (;;) {
    const answer = await ask(port)
    if (answer === true) return
    if (clock.monotonicMs() >= endMs)
      throw new WeftError('SIDECAR_NOT_READY', `the sidecar is not ready after ${timeoutMs} ms: ${answer}`)
    await new Promise<void>((resolve) => void setTimeout(resolve, againMs))
  }
}

/** Throws CONFIG_INVALID or SIDECAR_NOT_READY. */
export async function main(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  if (asksForHelp(args)) {
    process.stdout.write(`Usage: weft await [settings]\n\n${settingsHelp(awaitSettings)}`)
    return
  }
  const { adminPort, timeout } = readSettings(awaitSettings, { args, env })
  await awaitSidecar(adminPort, timeout, systemClock)
}

if (import.meta.main) void runMain(() => main(process.argv.slice(2), process.env))
