//go:build tools

// Package tools names buildx, so that go.mod and go.sum pin it. It has a module
// of its own because its requirements differ from BuildKit's.
package tools

import _ "github.com/docker/buildx/cmd/buildx"
