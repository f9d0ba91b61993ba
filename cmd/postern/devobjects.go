package main

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"path"
	"strings"
	"text/template"
	"time"

	"github.com/postern-dev/postern/internal/declare"
	"github.com/postern-dev/postern/internal/sample"
)

//go:embed objects/*.yaml objects/keys/*.yaml objects/try/*.yaml
var devObjects embed.FS

// places is what the sample files leave open.
type places struct {
	Port     int    // of the issuer
	Upstream string // URL of the API behind it; empty where there is none
}

// renderObjects fills the places into the sample objects: the first issuer at port,
// the others at the next ones. names are those of the issuers in this order.
func renderObjects(port int, upstreams map[string]string) (names []string, files []declare.File, err error) {
	list, err := fs.Glob(devObjects, "objects/*.yaml")
	if err != nil {
		return nil, nil, err
	}
	for i, name := range list {
		_, issuer, _ := strings.Cut(strings.TrimSuffix(path.Base(name), ".yaml"), "-")
		content, err := render(name, places{Port: port + i, Upstream: upstreams[issuer]})
		if err != nil {
			return nil, nil, err
		}
		names = append(names, issuer)
		files = append(files, declare.File{Name: path.Base(name), Content: content})
	}
	files = append(files, declare.File{Name: "studies.graphql", Content: []byte(sample.StudiesSchema)})
	return names, files, nil
}

func render(name string, p places) ([]byte, error) {
	text, err := template.ParseFS(devObjects, name)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = text.Execute(&b, p)
	return b.Bytes(), err
}

// startSamples serves each sample API at a free port of this machine that is told to the
// gateway only: whoever calls it goes through that. upstreams are their URLs by issuer.
func startSamples() (upstreams map[string]string, stop func(), err error) {
	var servers []*http.Server
	stop = func() {
		for _, s := range servers {
			_ = s.Close() // nothing in it lasts
		}
	}
	upstreams = make(map[string]string)
	for _, api := range sample.APIs() {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			stop()
			return nil, nil, fmt.Errorf("sample API of %s: %w", api.Name, err)
		}
		s := &http.Server{Handler: api.Handler, ReadHeaderTimeout: 10 * time.Second}
		servers = append(servers, s)
		go func() { _ = s.Serve(l) }() // until it is closed
		upstreams[api.Name] = "http://" + l.Addr().String()
	}
	return upstreams, stop, nil
}
