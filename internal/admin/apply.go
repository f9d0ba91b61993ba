package admin

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postern-dev/postern/internal/declare"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/registry"
)

// File is a file of objects, as YAML, or a schema beside them.
type File struct {
	Name    string `json:"name" doc:"As in policies/reader.yaml: relative to the directory. For messages, and with the set the origin of what is in it."`
	Content string `json:"content"`
}

// Files are the files of objects to bring in.
type Files struct {
	Files    []File `json:"files"`
	Set      string `json:"set,omitempty" doc:"Whose the objects are from then on: they are changed by their files only. Left out: nobody's; what is of a set then stays as it is."`
	TakeOver bool   `json:"take_over,omitempty" doc:"Also what is of another set becomes this one's; otherwise it is refused."`
	Prune    bool   `json:"prune,omitempty" doc:"Delete what is of the set and no more in its files."`
	PruneAll bool   `json:"prune_all,omitempty" doc:"With prune: also where the files hold no object at all."`
	DryRun   bool   `json:"dry_run,omitempty" doc:"Check everything and change nothing: the answer tells what would be done, with each difference."`
}

// Applied is what became of the files. Where an object fails in a later transaction than
// the first, those before stay done, and Failed says what went wrong.
type Applied struct {
	Objects []declare.Item `json:"objects"`
	Secrets []NewSecret    `json:"secrets" doc:"Of new clients: here and nowhere else."`
	Failed  string         `json:"failed,omitempty"`
}

// NewSecret is the secret of a client that was made.
type NewSecret struct {
	Issuer string `json:"issuer"`
	ID     string `json:"client_id"`
	Name   string `json:"name"`
	Secret string `json:"client_secret"` //nolint:gosec // shown once, to whoever made it
}

func (a *api) apply(h huma.API) {
	op := operation("apply", http.MethodPost, "/apply", "Bring in objects of every kind from files")
	huma.Register(h, op, func(ctx context.Context, in *struct{ Body Files }) (*struct{ Body Applied }, error) {
		reg := a.as(ctx)
		if err := reg.May(registry.Operation{Name: registry.Apply}); err != nil {
			return nil, problem(ctx, err)
		}
		files := make([]declare.File, len(in.Body.Files))
		for i, f := range in.Body.Files {
			files[i] = declare.File{Name: f.Name, Content: []byte(f.Content)}
		}
		objects, _ := declare.Parse(files) // Apply tells what is wrong, with all else
		options := declare.Options{Set: in.Body.Set, TakeOver: in.Body.TakeOver, Prune: in.Body.Prune || in.Body.PruneAll, PruneAll: in.Body.PruneAll}
		apply := declare.Apply
		if in.Body.DryRun {
			apply = declare.Rehearse
		}
		done, err := apply(ctx, reg, actor(ctx), objects, options)
		if err != nil && len(done.Items) == 0 {
			return nil, problemOfFiles(ctx, err)
		}
		out := Applied{Objects: done.Items, Secrets: make([]NewSecret, len(done.Secrets))}
		for i, s := range done.Secrets {
			out.Secrets[i] = NewSecret{Issuer: s.Issuer, ID: s.ClientID, Name: s.Name, Secret: string(s.Secret)}
		}
		if err != nil { // the secrets of what was made must reach whoever made it
			out.Failed = whyFailed(ctx, err)
		}
		return &struct{ Body Applied }{out}, nil
	})
	a.declared(h)
}

// whyFailed is the whole error, with the file and each problem, where problem knows it, and no
// detail else.
func whyFailed(ctx context.Context, err error) string {
	known := problem(ctx, err)
	if status := huma.StatusError(nil); errors.As(known, &status) && status.GetStatus() < http.StatusInternalServerError {
		return err.Error()
	}
	return known.Error()
}

func problemOfFiles(ctx context.Context, err error) error {
	var wrong *declare.Error
	if errors.Is(err, declare.ErrNothingLeft) {
		return fail(http.StatusUnprocessableEntity, invalid, err.Error(), place("body.files", "is empty"))
	}
	if !errors.As(err, &wrong) {
		return problemOfObject(ctx, err)
	}
	details := make([]*huma.ErrorDetail, len(wrong.Problems))
	for i, p := range wrong.Problems {
		at := p.Place()
		if p.Field != "" {
			at += ": " + p.Field
		}
		details[i] = place(at, p.Message)
	}
	return fail(http.StatusUnprocessableEntity, invalid, "the files are not valid, and nothing was changed", details...)
}

// problemOfObject is problem, with the object and its place in the files, of the one that
// failed in the first transaction.
func problemOfObject(ctx context.Context, err error) error {
	known := problem(ctx, err)
	var model *huma.ErrorModel
	if !errors.As(known, &model) || model.Status >= http.StatusInternalServerError {
		return known
	}
	var invalid *domain.Invalid
	if errors.As(err, &invalid) {
		model.Detail = strings.TrimSuffix(err.Error(), invalid.Error()) + model.Detail
	}
	model.Detail += "; nothing was changed"
	return model
}

// Apply brings in files of objects, or with DryRun tells what that would do. Where it
// fails in the midst of it, what came before is done and told beside the error.
func (c *Conn) Apply(ctx context.Context, files Files) (out Applied, err error) {
	if files.Files == nil {
		files.Files = []File{}
	}
	if err := c.exchange(ctx, http.MethodPost, "/apply", 0, files, &out); err != nil {
		return Applied{}, err
	}
	if out.Failed != "" {
		return out, errors.New(out.Failed)
	}
	return out, nil
}
