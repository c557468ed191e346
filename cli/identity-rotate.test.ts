import { describe, expect, it } from 'vitest'
import type { MeshedWorkload, MeshTrust, SidecarFacts } from '../api/diagnosis.ts'
import { nextPhase, type RotationPhase } from '../api/rotation.ts'
import { systemClock } from '../core/clock.ts'
import { rotate } from './identity-rotate.ts'
import type { MeshAccess, Page } from './reach/mesh-access.ts'

/** A mesh of one control plane whose only sidecar follows when it is told to. */
class PretendedMesh {
  phase: RotationPhase = 'steady'
  follows = true
  connected = true
  rotates = true
  readonly begun: string[] = []
  #generation = 1

  #sidecar(): SidecarFacts {
    const behind = this.#generation - 1
    return {
      namespace: 'shop',
      pod: 'web',
      identity: null,
      version: '1',
      admin: null,
      connectedAtMs: 0,
      bundle: `bundle ${this.follows ? this.#generation : behind}`,
      certificateRoot: `root ${this.follows ? this.#generation : behind}`,
      certificateNotAfterMs: null,
      refused: [],
    }
  }

  access(): MeshAccess {
    const page = (body: object): Page => ({ status: 200, text: JSON.stringify(body) })
    const read = (path: string): Page => {
      const workload: MeshedWorkload = {
        namespace: 'shop',
        pod: 'web',
        serviceAccount: 'web',
        identity: '',
        sidecar: this.connected ? this.#sidecar() : null,
      }
      if (path === '/sidecars') return page({ sidecars: [workload] })
      const { phase, rotates } = this
      const rotation = {
        phase,
        bundle: `bundle ${this.#generation}`,
        issuingRoot: `root ${this.#generation}`,
      }
      return page({ rotation, rotates } as MeshTrust)
    }
    return {
      controlPlane: async (path) => read(path),
      controlPlanes: async (path) => [read(path)],
      changeControlPlane: async (path) => {
        const to = path.split('=')[1] as RotationPhase
        this.begun.push(to)
        if (to !== nextPhase[this.phase]) return { status: 409, text: 'not the next one\n' }
        this.phase = to
        this.#generation++
        return page({})
      },
      sidecar: async () => undefined,
      close: () => undefined,
    }
  }
}

async function run(mesh: PretendedMesh, options: { step?: boolean; leaveBehind?: boolean } = {}) {
  const lines: string[] = []
  const ended = await rotate(mesh.access(), {
    step: false,
    leaveBehind: false,
    timeoutMs: 0,
    clock: systemClock,
    write: (line) => void lines.push(line),
    ...options,
  }).then(
    () => 'done',
    (error: { readonly code: string; readonly detail?: readonly string[] }) => error,
  )
  return { lines, ended }
}

describe('weft identity rotate', () => {
  it('leads through all phases and says where it is', async () => {
    const mesh = new PretendedMesh()
    const { lines, ended } = await run(mesh)
    expect(ended).toBe('done')
    expect(mesh.begun).toEqual(['new-trusted', 'new-issues', 'steady'])
    expect(lines.map((line) => line.split(':')[0])).toEqual(['steady', 'new-trusted', 'new-issues', 'steady'])
  })

  it('goes one phase further when asked for a step, and on from wherever the mesh is', async () => {
    const mesh = new PretendedMesh()
    await run(mesh, { step: true })
    expect(mesh.phase).toBe('new-trusted')
    await run(mesh)
    expect(mesh.begun).toEqual(['new-trusted', 'new-issues', 'steady'])
  })

  it.each<RotationPhase>(['steady', 'new-trusted', 'new-issues'])(
    'begins nothing in %s while a sidecar has not followed, and names it',
    async (phase) => {
      const mesh = new PretendedMesh()
      mesh.phase = phase
      mesh.follows = false
      const { ended } = await run(mesh)
      expect(ended).toMatchObject({
        code: 'ROTATION_REFUSED',
        detail: [expect.stringContaining('shop/web: ')],
      })
      expect(mesh.begun).toEqual([])
    },
  )

  it('waits for a sidecar that is not connected, unless it is to be left behind', async () => {
    const mesh = new PretendedMesh()
    mesh.connected = false
    expect((await run(mesh)).ended).toMatchObject({ code: 'ROTATION_REFUSED' })
    expect((await run(mesh, { leaveBehind: true })).ended).toBe('done')
  })

  it('does not touch a root that is kept outside of weft', async () => {
    const mesh = new PretendedMesh()
    mesh.rotates = false
    expect((await run(mesh)).ended).toMatchObject({ code: 'ROTATION_REFUSED' })
    expect(mesh.begun).toEqual([])
  })
})
