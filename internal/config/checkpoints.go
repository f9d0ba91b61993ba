package config

import (
	"net"
	"net/url"
	"path/filepath"
)

// check resolves the path of the file and notes what is wrong.
func (c *Checkpoints) check(r *reader) {
	if r.path("audit.checkpoints.file", &c.File); c.File != "" && filepath.Base(c.File) == "." {
		r.add("audit.checkpoints.file", "names a directory; name a file in it")
	}
	if c.Webhook != "" {
		u, err := url.Parse(c.Webhook)
		switch {
		case err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http":
			r.add("audit.checkpoints.webhook", "is no URL to send to; write it as https://log.example.com/postern")
		case u.Scheme == "http" && !loopback(u.Hostname()):
			r.add("audit.checkpoints.webhook", "is plain HTTP beyond this machine; write https")
		}
	}
	if c.Syslog != "" {
		if _, _, ok := SyslogAddress(c.Syslog); !ok {
			r.add("audit.checkpoints.syslog", "%q is no address of a syslog; write tcp://host:port, udp://host:port or unix:///dev/log", c.Syslog)
		}
	}
	between(r, "audit.checkpoints.every", c.Every, 10, 86_400)
}

// SyslogAddress takes the address of a syslog apart, as net.Dial takes it.
func SyslogAddress(text string) (network, address string, ok bool) {
	u, err := url.Parse(text)
	if err != nil || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", "", false
	}
	switch u.Scheme {
	case "tcp", "udp":
		_, port, err := net.SplitHostPort(u.Host)
		return u.Scheme, u.Host, err == nil && port != "" && u.Path == ""
	case "unix":
		return "unixgram", u.Path, u.Host == "" && filepath.IsAbs(u.Path)
	}
	return "", "", false
}
