//go:build tools

// Package tools names BuildKit v0.25.2, so that go.mod and go.sum pin it.
package tools

import _ "github.com/moby/buildkit/cmd/buildkitd"
