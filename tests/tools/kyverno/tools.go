//go:build tools

// Package tools names the command of Kyverno, so that go.mod and go.sum pin it. It has a module
// of its own because its requirements differ from the others'.
package tools

import _ "github.com/kyverno/kyverno/cmd/cli/kubectl-kyverno"
