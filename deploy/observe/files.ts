/** Every file of deploy/observe that is made from the code, by its name. */
import { stringify } from 'yaml'
import { controlPlane } from './dashboards/control-plane.ts'
import { mesh } from './dashboards/mesh.ts'
import { service } from './dashboards/service.ts'
import { workload } from './dashboards/workload.ts'
import { dashboard } from './panel.ts'
import { rules } from './rules.ts'
import { podMonitors, prometheusConfig, staticConfig } from './scrape.ts'

export const dashboards = [mesh, service, workload, controlPlane] as const

const note = '# Made from the code by `npm run build:observe`.\n'

function yaml(...contents: readonly object[]): string {
  return note + contents.map((content) => stringify(content, { lineWidth: 0 })).join('---\n')
}

export function observeFiles(): ReadonlyMap<string, string> {
  const files = new Map([
    ['prometheus.yaml', yaml(prometheusConfig)],
    ['pod-monitor.yaml', yaml(...podMonitors)],
    ['rules.yaml', yaml(rules)],
    [
      'prometheus-static.yaml',
      yaml(
        staticConfig({ sidecars: ['127.0.0.1:4191'], controlPlanes: ['127.0.0.1:9990'] }, 'rules.yaml', '5s'),
      ),
    ],
  ])
  for (const spec of dashboards)
    files.set(`${spec.uid}.json`, `${JSON.stringify(dashboard(spec), undefined, 2)}\n`)
  return files
}
