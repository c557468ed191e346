/** What `kubectl apply -k deploy/` reads, by the names of its files in deploy/. */
import { stringify } from 'yaml'
import { defaultImage } from '../../api/deployment.ts'
import { crdFiles, installManifests, toYaml } from './manifests.ts'

const note = '# Made by `npm run build:manifests`; `npm test` fails when it is out of date.\n'

export function kustomizeFiles(): ReadonlyMap<string, string> {
  const manifests = installManifests({
    image: defaultImage,
    imagePullPolicy: 'IfNotPresent',
    trustDomain: 'cluster.local',
    interception: 'init',
    ha: false,
  })
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: [...crdFiles().map((file) => `crds/${file}`), 'weft.yaml'],
  }
  return new Map([
    ['weft.yaml', note + toYaml(manifests)],
    ['kustomization.yaml', note + stringify(kustomization)],
  ])
}
