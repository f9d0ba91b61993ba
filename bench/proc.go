package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// tick is the unit of CPU time in /proc: USER_HZ, which is 100 on every Linux
// that Go runs on.
const tick = 10 * time.Millisecond

// cpuTime is what a process has used so far, user and system (proc(5), fields
// 14 and 15 of stat).
func cpuTime(pid int) (time.Duration, error) {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, err
	}
	return parseStat(data)
}

// parseStat reads the line of stat. The second field is the command in
// parentheses and may hold anything, so counting starts behind the last one.
func parseStat(data []byte) (time.Duration, error) {
	end := bytes.LastIndexByte(data, ')')
	fields := bytes.Fields(data[end+1:])
	const user, system = 14 - 3, 15 - 3
	if end < 0 || len(fields) <= system {
		return 0, errors.New("stat: not the line of proc(5)")
	}
	var sum time.Duration
	for _, field := range [][]byte{fields[user], fields[system]} {
		n, err := strconv.ParseInt(string(field), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("stat: %w", err)
		}
		sum += time.Duration(n) * tick
	}
	return sum, nil
}

// resident is the memory of a process that is in RAM, in bytes.
type resident struct {
	now  int64 // VmRSS
	peak int64 // VmHWM
}

func memoryOf(pid int) (resident, error) {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return resident{}, err
	}
	return parseStatus(data)
}

// parseStatus reads the lines `VmRSS:   1234 kB` and VmHWM.
func parseStatus(data []byte) (resident, error) {
	var r resident
	for line := range bytes.Lines(data) {
		fields := bytes.Fields(line)
		if len(fields) != 3 || string(fields[2]) != "kB" {
			continue
		}
		n, err := strconv.ParseInt(string(fields[1]), 10, 64)
		if err != nil {
			return r, fmt.Errorf("status: %w", err)
		}
		switch string(fields[0]) {
		case "VmRSS:":
			r.now = n << 10
		case "VmHWM:":
			r.peak = n << 10
		}
	}
	if r.now == 0 || r.peak == 0 {
		return r, errors.New("status: no VmRSS or VmHWM")
	}
	return r, nil
}

// sizeOf is the sum of the sizes of all files below a directory, in bytes.
func sizeOf(dir string) (int64, error) {
	var sum int64
	err := filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			sum += info.Size()
		}
		return err
	})
	return sum, err
}
