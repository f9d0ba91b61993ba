package main

import "testing"

// A command that is printed to be pasted goes to the server that was asked.
func TestFlagsOfTheSameServer(t *testing.T) {
	for _, c := range []struct {
		name, want string
		remote     remote
		env        map[string]string
	}{
		{"left out", "", remote{Data: "data"}, nil},
		{"a directory", " --data 'my data'", remote{Data: "./my data/"}, nil},
		{"a directory of the environment", "", remote{Data: "/var/lib/postern"}, map[string]string{"POSTERN_DATA": "/var/lib/postern"}},
		{"another than that of the environment", " --data data", remote{Data: "data"}, map[string]string{"POSTERN_DATA": "/var/lib/postern"}},
		{"a socket", " --socket a.sock", remote{Data: "data", Socket: "a.sock", Server: "https://x"}, nil},
		{"over the network", " --server https://x --token-file key", remote{Data: "data", Server: "https://x", TokenFile: "key"}, nil},
		{"over the network, of the environment", " --token-file key", remote{Data: "data", Server: "https://x", TokenFile: "key"},
			map[string]string{"POSTERN_SERVER": "https://x", "POSTERN_TOKEN_FILE": "other"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, name := range []string{"POSTERN_DATA", "POSTERN_SERVER", "POSTERN_TOKEN_FILE"} {
				t.Setenv(name, c.env[name])
			}
			if got := c.remote.flags(); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}
