//go:build tools

// Package tools names the programs of BuildKit that the tests run, so that
// go.mod and go.sum pin them. `go install …@version` refuses BuildKit, whose
// go.mod has exclude directives.
package tools

import (
	_ "github.com/moby/buildkit/cmd/buildctl"
	_ "github.com/moby/buildkit/cmd/buildkitd"
	_ "github.com/moby/buildkit/frontend/dockerfile/cmd/dockerfile-frontend"
)
