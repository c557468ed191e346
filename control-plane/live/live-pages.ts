/** `GET /live/mesh`, and `GET /live/stream`: the same every second, as server-sent events. */
import type { ServerResponse } from 'node:http'
import type { LiveMesh } from '../../api/live.ts'
import type { AdminServer } from '../../core/admin-server.ts'
import type { Clock, Timer } from '../../core/clock.ts'
import type { LiveMeshModel } from './live-mesh.ts'

const everyMs = 1_000
/** More would be a page that opens streams in a loop. */
const maxViewers = 64
/** A viewer that does not read gets no more until it does. */
const maxUnreadBytes = 1024 * 1024

export class LivePages {
  readonly #live: LiveMeshModel
  readonly #clock: Clock
  readonly #viewers = new Set<ServerResponse>()
  #last: { readonly mesh: LiveMesh; readonly atMs: number } | undefined
  #timer: Timer | undefined

  constructor(live: LiveMeshModel, clock: Clock) {
    this.#live = live
    this.#clock = clock
  }

  addTo(admin: AdminServer): void {
    admin.page('GET', '/live/mesh', () => ({ body: this.#mesh() }))
    admin.page('GET', '/live/stream', () =>
      this.#viewers.size >= maxViewers
        ? { status: 503, body: 'too many watch already\n' }
        : { contentType: 'text/event-stream', stream: (response) => this.#open(response) },
    )
  }

  stop(): void {
    this.#timer?.cancel()
    for (const viewer of this.#viewers) viewer.destroy()
  }

  /** Made at most twice a second, however many ask: it costs what all loads cost. */
  #mesh(): LiveMesh {
    const now = this.#clock.monotonicMs()
    if (this.#last === undefined || now - this.#last.atMs >= everyMs / 2)
      this.#last = { mesh: this.#live.snapshot(this.#clock.wallMs()), atMs: now }
    return this.#last.mesh
  }

  #open(response: ServerResponse): void {
    this.#viewers.add(response)
    response.on('close', () => this.#viewers.delete(response))
    response.write(event(this.#mesh()))
    this.#timer ??= this.#clock.after(everyMs, this.#send)
  }

  readonly #send = (): void => {
    this.#timer = undefined
    if (this.#viewers.size === 0) return
    const text = event(this.#mesh())
    for (const viewer of this.#viewers) if (viewer.writableLength < maxUnreadBytes) viewer.write(text)
    this.#timer = this.#clock.after(everyMs, this.#send)
  }
}

function event(mesh: LiveMesh): string {
  return `data: ${JSON.stringify(mesh)}\n\n`
}
