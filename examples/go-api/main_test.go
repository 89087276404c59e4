package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestHandler(t *testing.T) {
	for _, one := range []struct {
		method, path string
		status       int
		contains     string
	}{
		{"GET", "/healthz", http.StatusOK, `"ok":true`},
		{"GET", "/v1/network?prefix=10.1.2.3/20", http.StatusOK, `"last":"10.1.15.255"`},
		{"GET", "/v1/network?prefix=nonsense", http.StatusUnprocessableEntity, `is no network`},
		{"GET", "/v1/split?prefix=10.0.0.0/23&bits=24", http.StatusOK, `["10.0.0.0/24","10.0.1.0/24"]`},
		{"GET", "/v1/split?prefix=10.0.0.0/8&bits=many", http.StatusUnprocessableEntity, `bits`},
		{"POST", "/v1/network", http.StatusMethodNotAllowed, ""},
		{"GET", "/elsewhere", http.StatusNotFound, ""},
	} {
		got := httptest.NewRecorder()
		handler().ServeHTTP(got, httptest.NewRequest(one.method, one.path, nil))
		if got.Code != one.status || !strings.Contains(got.Body.String(), one.contains) {
			t.Errorf("%s %s: %d %s", one.method, one.path, got.Code, got.Body)
		}
	}
}
