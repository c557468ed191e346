/** `weft demo`: a whole mesh on this machine, and the story that shows what it does. */
import { reasonOf, WeftError } from '../../core/errors.ts'
import { parseHttpUrl } from '../../core/http-url.ts'
import { ciStory } from './ci-story.ts'
import { interruption } from './interruption.ts'
import { liveStory } from './live-story.ts'
import { Load, newTally } from './load.ts'
import { DemoMesh } from './mesh.ts'
import { splitSteps } from './mesh-yaml.ts'
import type { Stage } from './scenes.ts'
import { type Size, View } from './view.ts'

export type DemoOptions = {
  /** Fast, every claim checked, the last line one JSON object. */
  readonly ci: boolean
  /** Where the sidecars send all traces, or undefined. */
  readonly zipkinUrl: string | undefined
}

/** How the story ended. The last line is printed when everything has stopped. */
type Ending = { readonly status: number; readonly lastLine?: string; readonly error?: WeftError }

const interruptedStatus = 130

/** Runs the demo and gives the exit status. Nothing is left running, however it ends. */
export async function runDemo(options: DemoOptions): Promise<number> {
  const interrupted = interruption()
  const mesh = await DemoMesh.prepare(options.zipkinUrl)
  const terminal = !options.ci && process.stdout.isTTY
  const write = (text: string): void => void process.stdout.write(text)
  const size = terminal ? terminalSize : undefined
  const view = new View({
    size,
    footer: [
      `in another terminal: weft stat --control-plane ${mesh.controlPlaneAddress}   (or edges, top)`,
      `to try weights of your own, edit ${mesh.splitFile}`,
      `logs: ${mesh.logFolder}`,
    ],
    write,
  })
  const loads = new Map(mesh.pods.map((pod) => [pod.name, new Load(pod.outboundPort)]))
  const stage: Stage = { mesh, loads, total: newTally(), onAnswer: (answer) => view.answer(answer) }
  mesh.onFallen((text) => view.event(text))
  const story = options.ci ? tellForCi(stage, view) : tellLive(stage, view, terminal)
  const ending = await Promise.race([story, interrupted])
  view.stop()
  for (const load of loads.values()) load.close()
  const keepLogs = ending !== 'interrupted' && ending.status !== 0
  await mesh.stop(keepLogs)
  // The story still hangs wherever it was, with timers of its own.
  if (ending === 'interrupted') process.exit(options.ci ? interruptedStatus : 0)
  if (keepLogs) process.stderr.write(`logs: ${mesh.logFolder}\n`)
  if (ending.lastLine !== undefined) write(`${ending.lastLine}\n`)
  if (ending.error !== undefined) throw ending.error
  return ending.status
}

/** Read anew for every picture: people resize their windows. Some terminals have no size. */
function terminalSize(): Size {
  const { columns, rows } = process.stdout
  return columns > 0 && rows > 0 ? { columns, rows } : { columns: 80, rows: 24 }
}

async function tellForCi(stage: Stage, view: View): Promise<Ending> {
  try {
    view.event(`starting; the log of each process is in ${stage.mesh.logFolder}`)
    await stage.mesh.start(splitSteps[0])
    const report = await ciStory(stage, (text) => view.event(text))
    return { status: report.ok ? 0 : 1, lastLine: JSON.stringify(report) }
  } catch (error) {
    // The last line is an object whatever happens: that is what scripts read.
    return { status: 1, lastLine: JSON.stringify({ ok: false, problems: [reasonOf(error)] }) }
  }
}

async function tellLive(stage: Stage, view: View, again: boolean): Promise<Ending> {
  try {
    await liveStory(stage, view, again)
    return { status: 0 }
  } catch (error) {
    return { status: 1, error: new WeftError('DEMO_FAILED', reasonOf(error), { cause: error }) }
  }
}

/** The address of a Zipkin as given. Throws CONFIG_INVALID for what is no http URL. */
export function checkedZipkinUrl(text: string | undefined): string | undefined {
  if (text === undefined || parseHttpUrl(text) !== undefined) return text
  throw new WeftError('CONFIG_INVALID', 'the Zipkin address is not usable', {
    detail: [`--zipkin: '${text}' is not like http://127.0.0.1:9411`],
  })
}
