/** One pod behind one Service, both of one name, reached by the pod's own sidecar alone. */

export type MeshedService = {
  /** Of the Service, its one pod and that one's ServiceAccount. */
  readonly name: string
  /** `shop` unless set. */
  readonly namespace?: string
  /** Of the Service; 8080 unless set. */
  readonly port?: number
  /** What the Service says that its port speaks. */
  readonly appProtocol?: string | undefined
  /** Where the pod's sidecar takes connections. */
  readonly listenPort: number
  readonly applicationPort: number
}

export function meshedServiceYaml({
  name,
  namespace = 'shop',
  port = 8080,
  appProtocol,
  listenPort,
  applicationPort,
}: MeshedService): string {
  const protocol = appProtocol === undefined ? '' : `, appProtocol: ${appProtocol}`
  return `apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: ${namespace}}
spec: {ports: [{name: api, port: ${port}${protocol}}]}
---
apiVersion: v1
kind: Pod
metadata:
  name: ${name}
  namespace: ${namespace}
  annotations: {config.weft.dev/inbound: '127.0.0.1:${listenPort}=${applicationPort}'}
spec:
  serviceAccountName: ${name}
  containers: [{name: app, ports: [{containerPort: ${applicationPort}}]}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: ${name}, namespace: ${namespace}, labels: {kubernetes.io/service-name: ${name}}}
addressType: IPv4
ports: [{name: api, port: ${listenPort}}]
endpoints: [{addresses: [127.0.0.1], targetRef: {kind: Pod, name: ${name}, namespace: ${namespace}}}]
`
}
