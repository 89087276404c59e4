// Command subnets answers questions about IP networks over HTTP.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"example.com/subnets/subnet"
)

func handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]any{"ok": true, "platform": runtime.GOOS + "/" + runtime.GOARCH})
	})
	mux.HandleFunc("GET /v1/network", func(w http.ResponseWriter, r *http.Request) {
		network, err := subnet.Describe(r.FormValue("prefix"))
		if err != nil {
			refuse(w, err)
			return
		}
		answer(w, http.StatusOK, network)
	})
	mux.HandleFunc("GET /v1/split", func(w http.ResponseWriter, r *http.Request) {
		bits, err := strconv.Atoi(r.FormValue("bits"))
		if err != nil {
			refuse(w, errors.New("bits is no number"))
			return
		}
		parts, err := subnet.Split(r.FormValue("prefix"), bits)
		if err != nil {
			refuse(w, err)
			return
		}
		answer(w, http.StatusOK, map[string]any{"parts": parts})
	})
	return mux
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		slog.Error("answer", "error", err)
	}
}

func refuse(w http.ResponseWriter, err error) {
	answer(w, http.StatusUnprocessableEntity, map[string]string{"error": err.Error()})
}

func main() {
	stopped, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	server := &http.Server{Addr: ":8080", Handler: handler(), ReadHeaderTimeout: 5 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.ListenAndServe() }()
	slog.Info("listening", "address", server.Addr)
	select {
	case err := <-ended:
		slog.Error("serve", "error", err)
		os.Exit(1)
	case <-stopped.Done():
	}
	grace, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		slog.Error("shutdown", "error", err)
		os.Exit(1)
	}
}
