/** TcpProxy -> the clusters that connections go to, by weight. */
import type { TcpProxy } from '../../api/xds/types.ts'
import type { TcpRoute } from '../route/tcp-route.ts'
import type { Problems } from './problems.ts'

export function decodeTcpProxy(proxy: TcpProxy, path: string, problems: Problems): TcpRoute['clusters'] {
  if (proxy.cluster !== undefined && proxy.cluster !== '') return [{ cluster: proxy.cluster, weight: 1 }]
  const here = `${path}.weighted_clusters`
  const entries = proxy.weightedClusters?.clusters ?? []
  if (proxy.weightedClusters === undefined) problems.add(path, 'has neither cluster nor weighted_clusters')
  else if (entries.every(({ weight = 0 }) => weight === 0)) problems.add(here, 'all weights are zero')
  return entries.map(({ name = '', weight = 0 }, i) => {
    if (name === '') problems.add(`${here}.clusters[${i}].name`, 'is empty')
    return { cluster: name, weight }
  })
}
