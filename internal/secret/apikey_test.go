package secret_test

import (
	"strings"
	"testing"

	"github.com/postern-dev/postern/internal/secret"
	"github.com/postern-dev/postern/oauth"
)

// D-54: an API key is told by its own form.
func TestAPIKey(t *testing.T) {
	const id = "0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d"
	s := secret.Generate()
	key := secret.APIKey(id, s)
	gotID, got, ok := secret.ParseAPIKey(key)
	if !ok || gotID != id || got != s {
		t.Errorf("%q, %v", gotID, ok)
	}
	text := string(key)
	for name, wrong := range map[string]string{
		"a client's secret": string(s), "nothing": "", "a prefix": "pak_", "upper case": "PAK_" + text[4:], "no id": "pak__" + string(s),
		"a digit changed": text[:len(text)-1] + map[bool]string{true: "B", false: "A"}[strings.HasSuffix(text, "A")],
		"one more":        text + "A", "no hex": "pak_g" + text[5:], "another separator": strings.Replace(text, "_pst_", "-pst_", 1), "a JWT": "eyJ.eyJ.x",
	} {
		if _, _, ok := secret.ParseAPIKey(oauth.Secret(wrong)); ok {
			t.Errorf("%s is taken for an API key", name)
		}
	}
}
