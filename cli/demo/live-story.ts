/** The story as people see it: slower, one scene after the other, and again until they end it. */
import { goldenBetween, type InboundCounts, inboundCounts, inboundPeers } from './golden.ts'
import { splitSteps, type Weights } from './mesh-yaml.ts'
import { during, policyScene, shareOf, type Stage } from './scenes.ts'
import { fetchText } from './sidecar-admin.ts'
import type { Row, View } from './view.ts'

type Scene = { readonly text: string; readonly seconds: number; readonly act?: () => Promise<void> }

const readEveryMs = 1_000

function scenes(stage: Stage): Scene[] {
  const { mesh } = stage
  const step = (weights: Weights): Scene => ({
    text: `weights ${weights.v1}/${weights.v2} are written to the file`,
    seconds: 8,
    act: async () => mesh.writeSplit(weights),
  })
  return [
    ...splitSteps.map(step),
    {
      text: 'an endpoint of v2 is killed, with its sidecar',
      seconds: 6,
      act: () => mesh.killPod('catalog-v2-a'),
    },
    { text: '... and comes back', seconds: 6, act: () => mesh.restartPod('catalog-v2-a') },
    step(splitSteps[0]),
    {
      text: 'all of v2 fails: it answers 500',
      seconds: 5,
      act: () => mesh.setVersionFailing('catalog-v2', true),
    },
    { text: 'v2 is well again', seconds: 4, act: () => mesh.setVersionFailing('catalog-v2', false) },
    {
      text: 'somebody asks web to fail, through the mesh: a policy denies it',
      seconds: 3,
      act: async () => void (await policyScene(stage)),
    },
    { text: 'the control plane is killed', seconds: 5, act: () => mesh.killControlPlane() },
    {
      text: "web's sidecar is killed too: requests fail until it is back, from disk",
      seconds: 5,
      act: () => mesh.restartSidecar('web'),
    },
    { text: 'the control plane comes back', seconds: 4, act: () => mesh.startControlPlane() },
  ]
}

/** Reads every sidecar's /metrics once and gives what happened since the last time. */
function metricsReader({ mesh }: Stage): () => Promise<Row[]> {
  const last = new Map<string, InboundCounts>()
  const serving = mesh.pods.filter((pod) => pod.services.length > 0)
  return () =>
    Promise.all(
      serving.map(async ({ name, adminPort }): Promise<Row> => {
        const { status, text } = await fetchText(adminPort, '/metrics')
        if (status !== 200) return { name, golden: undefined, peers: undefined }
        const counts = inboundCounts(text)
        const golden = goldenBetween(last.get(name), counts)
        last.set(name, counts)
        return { name, golden, peers: inboundPeers(text) }
      }),
    )
}

/** Starts the mesh, so that its coming up is seen. Goes on for ever when `again`, else ends after the last scene. */
export async function liveStory(stage: Stage, view: View, again: boolean): Promise<void> {
  const read = metricsReader(stage)
  const show = (): void => {
    void read().then((rows) => {
      view.rows = rows
      const { weights } = stage.mesh
      if (weights !== undefined) view.configured = shareOf(weights)
    })
  }
  show()
  const reading = setInterval(show, readEveryMs)
  view.start()
  try {
    view.event('starting a control plane, five applications and six sidecars')
    await stage.mesh.start(splitSteps[0])
    do {
      for (const { text, seconds, act } of scenes(stage)) {
        view.scene(text)
        await during(stage, seconds * 1000, act)
        view.sceneEnds()
      }
    } while (again)
  } finally {
    clearInterval(reading)
  }
}
