//go:build tools

// Package tools names what signs attestations and what reads them from a registry, so that go.mod
// and go.sum pin them.
package tools

import (
	_ "github.com/google/go-containerregistry/cmd/crane"
	_ "github.com/sigstore/cosign/v3/cmd/cosign"
)
