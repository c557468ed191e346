package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"

	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
)

// asComponent runs the one component that this program is called by the name of, with that component's own flags. A
// folder of links to it is what KUBEBUILDER_ASSETS names.
func asComponent(name string) (status int, known bool) {
	switch name {
	case "etcd":
		etcdmain.Main(os.Args)
		return 0, true
	case "kube-apiserver":
		return cli.Run(apiserver.NewAPIServerCommand()), true
	case "kube-controller-manager":
		return cli.Run(controllermanager.NewControllerManagerCommand()), true
	default:
		return 0, false
	}
}

// assets is a folder with programs of somebody else's build.
type assets struct{ folder string }

// has tells whether the program is there: envtest brings no kube-controller-manager.
func (a assets) has(program string) bool {
	_, err := os.Stat(filepath.Join(a.folder, program))
	return !errors.Is(err, fs.ErrNotExist)
}

// run ends with the program, which ends with us, however we end.
func (a assets) run(ctx context.Context, program string, args []string) error {
	// Linux watches the thread that has started it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	command := exec.CommandContext(ctx, filepath.Join(a.folder, program), args...)
	command.Stdout = os.Stderr
	command.Stderr = os.Stderr
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := command.Run(); err != nil {
		return fmt.Errorf("%s: %w", program, err)
	}
	return fmt.Errorf("%s: it ended", program)
}

// startEtcd does not wait: the API server asks until it answers.
func (a assets) startEtcd(ctx context.Context, folder string, failed chan<- error) (string, error) {
	port, err := freePort()
	if err != nil {
		return "", err
	}
	client := url.URL{Scheme: "http", Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(port))}
	peer := "http://127.0.0.1:0"
	args := []string{
		"--data-dir=" + folder,
		"--listen-client-urls=" + client.String(),
		"--advertise-client-urls=" + client.String(),
		"--listen-peer-urls=" + peer,
		"--initial-advertise-peer-urls=" + peer,
		"--initial-cluster=default=" + peer,
		"--log-level=error",
		"--unsafe-no-fsync",
	}
	go func() { failed <- a.run(ctx, "etcd", args) }()
	return client.String(), nil
}
