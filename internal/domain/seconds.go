package domain

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Seconds is a duration of whole seconds: a number in JSON, a number or a
// duration such as `90d`, `12h`, `30m`, `45s` in YAML.
type Seconds int64

// Duration is the same as a time.Duration.
func (s Seconds) Duration() time.Duration { return time.Duration(s) * time.Second }

// UnmarshalYAML reads both forms.
func (s *Seconds) UnmarshalYAML(n *yaml.Node) error {
	v, err := ParseSeconds(n.Value)
	if err != nil {
		return fmt.Errorf("line %d: %w", n.Line, err)
	}
	*s = v
	return nil
}

// ParseSeconds reads `3600`, `1h`, `30m`, `45s` or `90d`.
func ParseSeconds(text string) (Seconds, error) {
	unit := int64(1)
	number := text
	for suffix, u := range map[string]int64{"s": 1, "m": 60, "h": 3600, "d": 86400} {
		if n, ok := strings.CutSuffix(text, suffix); ok {
			number, unit = n, u
		}
	}
	n, err := strconv.ParseUint(number, 10, 63) // takes no sign
	if err != nil || int64(n) > 1<<33/unit {    //nolint:gosec // 63 bits
		return 0, fmt.Errorf("%q is no duration: write seconds, or a number with s, m, h or d, as in 90d", text)
	}
	return Seconds(int64(n) * unit), nil //nolint:gosec // 63 bits
}
