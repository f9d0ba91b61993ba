// Command upstream is the API behind the proxies that are measured: it answers at
// once, and says what it saw. Its processor time is nobody's.
package main

import (
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/postern-dev/postern/bench/fixture"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "`address` to listen on")
	flag.Parse()
	server := &http.Server{Addr: *listen, Handler: http.HandlerFunc(serve), ReadHeaderTimeout: 10 * time.Second}
	if err := server.ListenAndServe(); err != nil {
		fmt.Fprintln(os.Stderr, "upstream:", err)
		os.Exit(1)
	}
}

func serve(w http.ResponseWriter, r *http.Request) {
	received, err := io.Copy(io.Discard, r.Body)
	if err != nil {
		http.Error(w, "the body broke off", http.StatusBadRequest)
		return
	}
	var space [256]byte
	w.Header()["Content-Type"] = []string{"application/json"}
	_, _ = w.Write(fixture.AppendAnswer(space[:0], r.Method, r.URL.Path, int(received))) // the peer is gone: nobody to tell
}
