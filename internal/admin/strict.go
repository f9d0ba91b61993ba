package admin

import (
	"encoding/json"
	"io"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postern-dev/postern/internal/strictjson"
)

// strict makes the API read JSON as package strictjson does, and keeps what came
// in out of its problems: it may be a secret (D-37).
func strict(c *huma.Config) {
	c.Formats = map[string]huma.Format{"application/json": {
		Marshal: func(w io.Writer, v any) error { return json.NewEncoder(w).Encode(v) },
		Unmarshal: func(data []byte, v any) error {
			if _, shape := v.(*any); !shape {
				return strictjson.Unmarshal(data, v)
			}
			// What is held against the schema, whose numbers are float64. It passes
			// over case; the reading above does not.
			if err := strictjson.Check(data); err != nil {
				return err
			}
			return json.Unmarshal(data, v)
		},
	}}
	c.Formats["json"] = c.Formats["application/json"] // for `application/problem+json`
	c.DefaultFormat = "application/json"
	c.Transformers = append(c.Transformers, func(ctx huma.Context, _ string, v any) (any, error) {
		if p, ok := v.(*huma.ErrorModel); ok {
			complete(ctx.Context(), p)
		}
		return v, nil
	})
}
