package config_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/config"
)

func TestCheckpoints(t *testing.T) {
	ok := small + "listeners: [{address: '127.0.0.1:8080', surfaces: [token]}]\n"
	got, dir, err := load(t, ok+"audit: {checkpoints: {file: sub/c.jws, webhook: 'https://log.example.com/p?x=1', syslog: 'tcp://log:601', every: 1h}}\n")
	if err != nil {
		t.Fatal(err)
	}
	want := config.Checkpoints{File: filepath.Join(dir, "sub/c.jws"), Webhook: "https://log.example.com/p?x=1", Syslog: "tcp://log:601", Every: 3600}
	if diff := cmp.Diff(want, got.Audit.Checkpoints); diff != "" {
		t.Error(diff)
	}
	for in, want := range map[string]string{
		"{webhook: 'http://log.example.com'}": "audit.checkpoints.webhook is plain HTTP beyond this machine; write https",
		"{webhook: 'http://127.0.0.1:9/x'}":   "",
		"{webhook: log}":                      "audit.checkpoints.webhook is no URL to send to; write it as https://log.example.com/postern",
		"{webhook: 'https://u:p@host/'}":      "audit.checkpoints.webhook is no URL to send to; write it as https://log.example.com/postern",
		"{webhook: 'ftp://host/'}":            "audit.checkpoints.webhook is no URL to send to; write it as https://log.example.com/postern",
		"{syslog: 'udp://[::1]:514'}":         "",
		"{syslog: 'unix:///dev/log'}":         "",
		"{syslog: 'unix://dev/log'}":          `audit.checkpoints.syslog "unix://dev/log" is no address of a syslog; write tcp://host:port, udp://host:port or unix:///dev/log`,
		"{syslog: 'tcp://host'}":              `audit.checkpoints.syslog "tcp://host" is no address of a syslog; write tcp://host:port, udp://host:port or unix:///dev/log`,
		"{syslog: 'tcp://host:1/x'}":          `audit.checkpoints.syslog "tcp://host:1/x" is no address of a syslog; write tcp://host:port, udp://host:port or unix:///dev/log`,
		"{syslog: /dev/log}":                  `audit.checkpoints.syslog "/dev/log" is no address of a syslog; write tcp://host:port, udp://host:port or unix:///dev/log`,
		"{every: 1s}":                         "audit.checkpoints.every is 1; write 10 to 86400",
		"{every: 2d}":                         "audit.checkpoints.every is 172800; write 10 to 86400",
	} {
		_, _, err := load(t, ok+"audit: {checkpoints: "+in+"}\n")
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", in, err)
		case want != "" && (err == nil || !strings.HasSuffix(err.Error(), "postern.yaml:4: "+want)):
			t.Errorf("%s: %v, want %s", in, err, want)
		}
	}
}
