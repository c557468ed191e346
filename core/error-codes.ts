/** The one table of codes: what each means, what to do, and how it answers a request. Codes never change. */

/** What a code means. `http` is set on codes that answer a request. */
export type ErrorEntry = {
  readonly summary: string
  readonly hint: string
  /** Exit status of a process that ends because of it; 1 unless set. */
  readonly exitStatus?: number
  /** The reply's status, and the flag shown in access logs, in the letters that Envoy's users know. */
  readonly http?: { readonly status: number; readonly flag: string }
}

export const errorCodes = {
  // Starting a process
  CONFIG_INVALID: {
    summary: 'a setting is missing or wrong',
    hint: 'correct the settings named; --help lists them all with their defaults',
    exitStatus: 2,
  },
  BOOTSTRAP_INVALID: {
    summary: 'the bootstrap file is not usable',
    hint: 'compare the field named with the Envoy v3 bootstrap shape',
    exitStatus: 2,
  },
  PORT_IN_USE: {
    summary: 'another process listens on this address',
    hint: 'stop that process, or choose another address (port 0 picks a free one)',
  },
  LISTEN_FAILED: {
    summary: 'the address cannot be listened on',
    hint: 'check that the address belongs to this machine and that the port is allowed to this user',
  },
  STATE_FOLDER_UNUSABLE: {
    summary: 'the state folder cannot be used',
    hint: 'check that it is a folder, that this user may write it and that it is on a working disk',
  },
  STATE_FILE_INVALID: {
    summary: 'a file in the state folder is damaged or does not fit the others',
    hint: 'restore it from a backup, or move the whole folder away to begin anew',
  },
  STATE_FILE_EXPOSED: {
    summary: 'a private key can be read by other users',
    hint: 'chmod 600 the file named; if others may have read it, replace the key',
  },
  INTERCEPTION_FAILED: {
    summary: 'the rules that redirect connections to the sidecar could not be set',
    hint: "run it with NET_ADMIN and NET_RAW in the workload's network namespace, with iptables installed; --iptables=legacy (config.weft.dev/iptables) is for kernels without nf_tables; --dry-run prints the rules",
  },
  SIDECAR_NOT_READY: {
    summary: 'the sidecar did not become ready in time',
    hint: "see the sidecar's log; its /ready says what it waits for",
  },
  FILE_UNREADABLE: {
    summary: 'a file cannot be read',
    hint: 'check its path and its permissions',
  },
  SHUTDOWN_DEADLINE: {
    summary: 'not everything ended before the deadline',
    hint: 'give the process more time to drain, or look at what is named',
  },
  DEMO_FAILED: {
    summary: 'the demo could not go on',
    hint: 'see the logs that it names; on a machine that is very busy, try again',
  },
  INTERNAL: {
    summary: 'a fault in weft itself',
    hint: 'report it with the log around it',
  },

  // Configuration of the mesh
  YAML_INVALID: {
    summary: 'the file is not valid YAML',
    hint: 'correct the line named; the last good content of the file stays in force',
  },
  RESOURCE_REJECTED: {
    summary: 'a resource is refused',
    hint: 'correct the fields named; the last good version stays in force',
  },
  RESOURCE_INVALID: {
    summary: 'a message does not have the shape that its type asks for',
    hint: 'correct the field named by the path',
  },
  RESOURCE_UNKNOWN: {
    summary: 'the control plane does not know a resource of this name',
    hint: 'check its name and namespace, and that it exists',
  },
  NAME_UNRESOLVED: {
    summary: 'a host name has no address',
    hint: 'check the name and the name servers (--dns-servers, or those of the system); addresses known before stay in use',
  },
  BACKEND_UNKNOWN: {
    summary: 'a backend is not a Service that the mesh knows',
    hint: 'create the Service, or correct its name; until then it gets no traffic',
  },

  // The API server of a cluster
  KUBERNETES_UNREACHABLE: {
    summary: 'the Kubernetes API server does not answer',
    hint: 'check that it runs and that KUBECONFIG or the pod leads to it; processes of the mesh go on with what they know, and try again',
  },
  KUBERNETES_REFUSED: {
    summary: 'the Kubernetes API server does not allow it',
    hint: 'check who asks, a user or ServiceAccount, and its roles: docs/live.md has those of people, `weft install` those of weft',
  },
  KUBERNETES_FAILED: {
    summary: 'the Kubernetes API server answers with a failure',
    hint: 'see the reason and its own log; what is known stays in force, and it is tried again',
  },

  TRACES_UNDELIVERED: {
    summary: 'the trace collector does not take spans',
    hint: 'check --zipkin-url and that the collector runs; requests are served all the same, and it is tried again',
  },

  // Control plane and identity
  CONTROL_PLANE_UNREACHABLE: {
    summary: 'the control plane does not answer',
    hint: 'check its address and that it runs; sidecars go on with what they know, and try again',
  },
  DASHBOARD_UNBUILT: {
    summary: "the dashboard's page could not be built",
    hint: 'in a source tree see what the build says (npm run build); whoever asks next tries again',
  },
  CONTROL_PLANE_REFUSED: {
    summary: 'the control plane refuses this client',
    hint: 'check the token, the trust domain and the names of the namespace and service account',
  },
  TAP_REFUSED: {
    summary: 'this user or ServiceAccount may not look at exchanges',
    hint: 'in a cluster see docs/live.md for the rights that it takes; without one, tap on the machine of the control plane',
  },
  CONTROL_PLANE_UNTRUSTED: {
    summary: "the control plane's certificate is not the one expected",
    hint: 'give --control-plane-ca the root-cert.pem of this control plane, and check its --dns-names and the clocks',
  },
  TOKEN_INVALID: {
    summary: 'the token is not valid',
    hint: 'make a new one with `weft token create` from the state folder of this control plane',
  },
  TOKEN_MALFORMED: {
    summary: 'the token is not a signed JWT',
    hint: 'check that the token file holds one token and nothing else',
  },
  TOKEN_TOO_LARGE: {
    summary: 'the token is longer than any that weft accepts',
    hint: 'check that the token file holds one token and nothing else',
  },
  TOKEN_SIGNATURE_INVALID: {
    summary: 'the token was not signed by this control plane',
    hint: 'make the token from the state folder that the control plane uses',
  },
  TOKEN_EXPIRED: {
    summary: 'the token has expired',
    hint: 'make a new one, and check the clocks of both machines',
  },
  TOKEN_NOT_YET_VALID: {
    summary: 'the token is not valid yet',
    hint: 'check the clocks of both machines',
  },
  TOKEN_WRONG_AUDIENCE: {
    summary: 'the token was made for another audience',
    hint: 'ask for the audience that the control plane expects',
  },
  TOKEN_NOT_SERVICE_ACCOUNT: {
    summary: 'the token does not name a service account',
    hint: 'the subject must be system:serviceaccount:<namespace>:<name>',
  },
  TOKEN_MISMATCH: {
    summary: 'a client has a token of one workload and the certificate of another',
    hint: 'see whose state folder the sidecar has: it keeps its identity there, and each workload needs one of its own',
  },
  TOKEN_FILE_UNREADABLE: {
    summary: 'the token file cannot be read',
    hint: 'check --token-file and the permissions of the file',
  },
  CSR_REFUSED: {
    summary: 'the certificate request is refused',
    hint: 'send a PKCS#10 request, signed by its own key, of an accepted key type',
  },
  CA_EXPIRED: {
    summary: 'the root certificate has expired or is about to',
    hint: 'replace the root key and certificate in the state folder',
  },
  CA_EXTERNAL: {
    summary: 'this control plane issues no certificates to workloads',
    hint: 'give the sidecar --certificate-authority, the address of the CA whose roots the control plane has as --trust-bundle',
  },
  ROTATION_REFUSED: {
    summary: 'the next phase of the rotation may not begin',
    hint: 'see `weft identity` for the phase, and for the sidecars that have not followed yet',
  },
  RATE_LIMITED_CA: {
    summary: 'this identity asks for certificates too often',
    hint: 'wait; a sidecar that restarts again and again is the usual reason',
  },
  ENROLMENT_FAILED: {
    summary: 'no certificate could be had from the control plane',
    hint: 'see the cause; the certificate in use is kept, and it is tried again',
  },
  CERTIFICATE_INVALID: {
    summary: 'a certificate or trust bundle cannot be used',
    hint: 'check that the file or reply holds PEM certificates and that they belong together',
  },
  CERTIFICATE_EXPIRED: {
    summary: 'a certificate has expired',
    hint: 'check the clocks, and that the owner of the certificate reaches its control plane',
  },
  CERTIFICATE_NOT_YET_VALID: {
    summary: 'a certificate is not valid yet',
    hint: 'check the clocks of both machines',
  },
  IDENTITY_MISSING: {
    summary: 'there is no certificate yet',
    hint: 'the sidecar has not enrolled; see the log for the reason',
  },
  IDENTITY_EXPIRED: {
    summary: 'our own certificate has expired',
    hint: 'the sidecar could not renew it; see its log and `weft identity` for the reason. Connections that stand go on',
  },

  // The other side of a mesh connection
  PEER_CERTIFICATE_MISSING: {
    summary: 'the peer showed no certificate',
    hint: 'only sidecars of this mesh may use mesh TLS',
  },
  PEER_CERTIFICATE_UNTRUSTED: {
    summary: "the peer's certificate was not issued by this mesh",
    hint: 'both sides need the same trust bundle; a self-signed certificate is never accepted',
  },
  PEER_IDENTITY_INVALID: {
    summary: "the peer's certificate does not carry exactly one SPIFFE identity",
    hint: 'the certificate must have one URI name, spiffe://<trust-domain>/ns/<namespace>/sa/<name>',
  },
  PEER_TRUST_DOMAIN_MISMATCH: {
    summary: 'the peer belongs to another trust domain',
    hint: 'give both sidecars the same --trust-domain',
  },
  PEER_IDENTITY_MISMATCH: {
    summary: 'the peer is not the workload that this endpoint should be',
    hint: 'the address may have been taken over by another pod; it is tried elsewhere',
  },
  PEER_CERTIFICATE_WEAK: {
    summary: "the peer's certificate has a key or a signature that can be forged",
    hint: 'use keys on P-256 or P-384, Ed25519 or RSA of 2048 bits and more, signed with SHA-256 or better',
  },
  PEER_USAGE_REFUSED: {
    summary: "the peer's certificate is not made for this side of a connection",
    hint: 'mesh certificates allow both server and client authentication',
  },
  TLS_REFUSED: {
    summary: 'the TLS handshake failed',
    hint: 'see the cause; mesh TLS is TLS 1.3 with a certificate on both sides',
    http: { status: 503, flag: 'UF' },
  },

  // Answers to requests
  NO_ROUTE: {
    summary: 'no route matches the request',
    hint: 'check the routes of the Service and the request path, method and headers',
    http: { status: 404, flag: 'NR' },
  },
  DESTINATION_UNKNOWN: {
    summary: 'the mesh does not know the destination and may not pass it through',
    hint: 'check the host name, or run the sidecar with --outbound-policy allow',
    http: { status: 502, flag: 'NC' },
  },
  NO_ENDPOINTS: {
    summary: 'no endpoint is ready',
    hint: 'check that the pods behind the Service are ready',
    http: { status: 503, flag: 'UH' },
  },
  BACKEND_INVALID: {
    summary: 'the route leads to a backend that does not exist',
    hint: 'correct the backendRef of the route',
    http: { status: 500, flag: 'NC' },
  },
  UPSTREAM_CONNECT_FAILED: {
    summary: 'the endpoint could not be connected to',
    hint: 'check that the process behind the endpoint listens',
    http: { status: 503, flag: 'UF' },
  },
  UPSTREAM_CONNECT_TIMEOUT: {
    summary: 'the endpoint did not accept a connection in time',
    hint: 'check the network, and whether the endpoint is overloaded',
    http: { status: 503, flag: 'UF' },
  },
  UPSTREAM_TIMEOUT: {
    summary: 'the endpoint did not answer in time',
    hint: 'raise the timeout of the route, or see why the endpoint is slow',
    http: { status: 504, flag: 'UT' },
  },
  UPSTREAM_REFUSED: {
    summary: 'the endpoint refused the request before it looked at it, and there was no other attempt',
    hint: 'the endpoint was shutting down or had too many requests at once; add endpoints',
    http: { status: 503, flag: 'UO' },
  },
  UPSTREAM_RESET: {
    summary: 'the endpoint closed the connection before its reply was complete',
    hint: 'see the log of the application behind the endpoint',
    http: { status: 502, flag: 'UC' },
  },
  UPSTREAM_MALFORMED: {
    summary: 'the reply of the endpoint is not valid HTTP',
    hint: 'see the cause; the application behind the endpoint broke the protocol',
    http: { status: 502, flag: 'UPE' },
  },
  UPGRADE_UNSUPPORTED: {
    summary: 'the endpoint speaks HTTP/2 only, and does not take this upgrade there',
    hint: 'turn on RFC 8441 in its server (SETTINGS_ENABLE_CONNECT_PROTOCOL), which is for WebSockets and nothing else; or serve upgrades over HTTP/1.1, on a port without `appProtocol: kubernetes.io/h2c`',
    http: { status: 501, flag: 'UPE' },
  },
  UPSTREAM_PROTOCOL_REFUSED: {
    summary:
      'the endpoint does not take this request over HTTP/2 (HTTP_1_1_REQUIRED), and it could not be sent over HTTP/1.1',
    hint: 'take `appProtocol: kubernetes.io/h2c` from the port of the Service; calls of gRPC, and what has more content than is kept (64 KiB), cannot be sent again over HTTP/1.1',
    http: { status: 502, flag: 'UPE' },
  },
  UPSTREAM_HEADERS_TOO_LARGE: {
    summary: 'the header of the reply is too large',
    hint: 'make the headers of the application smaller',
    http: { status: 502, flag: 'UPE' },
  },
  UPSTREAM_OVERFLOW: {
    summary: 'too many requests wait for this cluster',
    hint: 'raise the limits of the cluster, or add endpoints',
    http: { status: 503, flag: 'UO' },
  },
  RETRIES_EXHAUSTED: {
    summary: 'every attempt failed',
    hint: 'see the last failure',
    http: { status: 503, flag: 'URX' },
  },
  REQUEST_MALFORMED: {
    summary: 'the request is not valid HTTP',
    hint: 'see the reason; the client broke the protocol',
    http: { status: 400, flag: 'DPE' },
  },
  REQUEST_HEADERS_TOO_LARGE: {
    summary: 'the header of the request is too large',
    hint: 'send smaller headers',
    http: { status: 431, flag: 'DPE' },
  },
  REQUEST_TIMEOUT: {
    summary: 'the request did not arrive in time',
    hint: 'send the whole header without pausing',
    http: { status: 408, flag: 'DT' },
  },
  REQUEST_UNSUPPORTED: {
    summary: 'the request asks for something that is not served',
    hint: 'see the reason',
    http: { status: 501, flag: 'DPE' },
  },
  CLIENT_DISCONNECTED: {
    summary: 'the client went away before the reply was complete',
    hint: 'the client gave up; its timeout may be shorter than the reply takes',
    http: { status: 499, flag: 'DC' },
  },
  LOOP_DETECTED: {
    summary: 'the request came back to the sidecar that sent it',
    hint: 'check that the application does not answer on the address of its own sidecar',
    http: { status: 508, flag: 'LH' },
  },
  REQUEST_DENIED: {
    summary: 'a policy denies the request',
    hint: 'see the AccessPolicy of the workload',
    http: { status: 403, flag: 'UAEX' },
  },
  PATH_AMBIGUOUS: {
    summary: 'the path of the request can be read in more than one way',
    hint: 'send it without encoded slashes, backslashes and control characters, encoded once and in UTF-8, and let x-original-url and x-rewrite-url say the same; a policy decides by the path',
    http: { status: 400, flag: 'DPE' },
  },
  RATE_LIMITED: {
    summary: 'the rate limit is reached',
    hint: 'send fewer requests, or raise the limit',
    http: { status: 429, flag: 'RL' },
  },
  FAULT_INJECTED: {
    summary: 'a configured fault was injected',
    hint: 'remove the fault from the TrafficPolicy',
    http: { status: 503, flag: 'FI' },
  },
  OVERLOADED: {
    summary: 'the sidecar takes no new requests for now',
    hint: 'send the request again after the seconds of Retry-After; the metric overload_step says what is short',
    http: { status: 503, flag: 'OM' },
  },
  DRAINING: {
    summary: 'the sidecar is shutting down',
    hint: 'send the request again; it goes to another endpoint',
    http: { status: 503, flag: 'OM' },
  },
} as const satisfies Record<string, ErrorEntry>
