//go:build !linux

package pgtest

import "syscall"

// diesWithUs has nothing to say here: a server outlives tests that are killed.
func diesWithUs() *syscall.SysProcAttr { return &syscall.SysProcAttr{} }
