//go:build tools

// Package h2spec keeps go.mod in step with the one program that is built from it.
package h2spec

import _ "github.com/summerwind/h2spec/cmd/h2spec"
