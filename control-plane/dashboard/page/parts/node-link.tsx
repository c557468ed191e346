/** The name of a service or workload, as a link to its page. `id` is the node's, which is its address too. */
export function NodeLink({ id }: { readonly id: string }) {
  const [kind, namespace, name] = id.split('/')
  return (
    <a class="node-link" href={`#/${id}`}>
      <span class="namespace">{namespace}/</span>
      {name}
      {kind === 'workloads' && <span class="kind">workload</span>}
    </a>
  )
}
