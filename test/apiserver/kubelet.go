package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/kubelet/pkg/cri/streaming/portforward"
)

const (
	forwardIdleTimeout   = 5 * time.Minute
	forwardCreateTimeout = 10 * time.Second
)

// hostPorts is what the tests' pods have for networks: their loopback is this machine's.
type hostPorts struct{}

func (hostPorts) PortForward(ctx context.Context, _ string, _ types.UID, port int32, stream io.ReadWriteCloser) error {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return err
	}
	defer conn.Close()
	ended := make(chan error, 2)
	go func() {
		_, err := io.Copy(conn, stream)
		// The client has said all; the answer may still be on its way.
		_ = conn.(*net.TCPConn).CloseWrite()
		if err != nil {
			ended <- err
		}
	}()
	go func() {
		_, err := io.Copy(stream, conn)
		ended <- err
	}()
	return <-ended
}

// serveKubelet serves the one page of a kubelet that the tests need, with the kubelet's own code: /portForward/NAMESPACE/POD.
// It gives the port; a Node has it in status.daemonEndpoints.
func serveKubelet(files *files) (int, error) {
	listener, err := net.Listen("tcp", ":0")
	if err != nil {
		return 0, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/portForward/", func(w http.ResponseWriter, r *http.Request) {
		options, err := portforward.NewV4Options(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		pod := strings.TrimPrefix(r.URL.Path, "/portForward/")
		portforward.ServePortForward(w, r, hostPorts{}, pod, "", options, forwardIdleTimeout, forwardCreateTimeout, portforward.SupportedProtocols)
	})
	// The API server does not look for a name in it, as in many clusters.
	go func() { _ = http.ServeTLS(listener, mux, files.servingCert, files.servingKey) }()
	return listener.Addr().(*net.TCPAddr).Port, nil
}
