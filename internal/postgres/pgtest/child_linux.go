package pgtest

import "syscall"

// diesWithUs has the kernel end the server at once where the tests are killed.
func diesWithUs() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGQUIT} }
