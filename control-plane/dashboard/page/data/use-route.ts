/** Which view is shown: the address after `#`, so that every view has a link and the browser's own history. */
import { useEffect, useState } from 'preact/hooks'

export type Route =
  | { readonly view: 'graph' | 'connections' | 'services' | 'sidecars' | 'tap' }
  | {
      readonly view: 'node'
      readonly kind: 'service' | 'workload'
      readonly namespace: string
      readonly name: string
    }
  | { readonly view: 'unknown' }

/** Pure; `hash` with its `#`. */
export function routeOf(hash: string): Route {
  const [view = '', namespace = '', name = '', ...rest] = hash.replace(/^#?\/?/, '').split('/')
  if (rest.length > 0) return { view: 'unknown' }
  if (name !== '' && (view === 'services' || view === 'workloads')) {
    const kind = view === 'services' ? 'service' : 'workload'
    return { view: 'node', kind, namespace, name }
  }
  if (namespace !== '') return { view: 'unknown' }
  if (view === '') return { view: 'graph' }
  if (view === 'connections' || view === 'services' || view === 'sidecars' || view === 'tap') return { view }
  return { view: 'unknown' }
}

export function useRoute(): Route {
  const [hash, setHash] = useState(location.hash)
  useEffect(() => {
    const onChange = (): void => setHash(location.hash)
    window.addEventListener('hashchange', onChange)
    return () => window.removeEventListener('hashchange', onChange)
  }, [])
  return routeOf(hash)
}
