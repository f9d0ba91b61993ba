// Command upstream is the API behind the proxies that are measured: it answers at
// once, and says what it saw. Its processor time is nobody's.
package main

import (
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/postern-dev/postern/bench/fixture"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "`address` to listen on")
	flag.Parse()
	server := &http.Server{Addr: *listen, Handler: &api{}, ReadHeaderTimeout: 10 * time.Second}
	if err := server.ListenAndServe(); err != nil {
		fmt.Fprintln(os.Stderr, "upstream:", err)
		os.Exit(1)
	}
}

// api answers a GraphQL request, wherever it is sent, with what it asks for, all else with
// what came.
type api struct{ answers fixture.Answers }

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, "the body broke off", http.StatusBadRequest)
		return
	}
	w.Header()["Content-Type"] = []string{"application/json"}
	if !fixture.Asked(body) {
		var space [256]byte
		_, _ = w.Write(fixture.AppendAnswer(space[:0], r.Method, r.URL.Path, len(body))) // the peer is gone: nobody to tell
		return
	}
	answer, err := a.answers.To(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header()["Content-Length"] = []string{strconv.Itoa(len(answer))} // else it may come in chunks
	_, _ = io.WriteString(w, answer)
}
