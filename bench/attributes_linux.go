package main

import "syscall"

// attributes put a child into a process group of its own, and have the kernel
// end it should this process be killed.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
