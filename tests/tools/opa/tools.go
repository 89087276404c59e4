//go:build tools

// Package tools names opa, so that go.mod and go.sum pin it.
package tools

import _ "github.com/open-policy-agent/opa"
