package main

import (
	"context"
	"io/fs"
	"strings"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/registry"
	"github.com/postern-dev/postern/oauth"
)

// sampleKey is an API key of a sample API (ARB-07), as a file of objects/keys has it. Its text
// is new at every start, and in no file.
type sampleKey struct {
	Label    string `yaml:"label"`    // by which commands to try name it; of dev's keys no two have one
	Audience string `yaml:"audience"` // of the API
	Role     string `yaml:"role"`     // one that the API knows
	Tenant   string `yaml:"tenant"`   // for which it is, by id

	text oauth.Secret
}

// keyLabels begins the labels of the keys that `postern dev` makes, and takes away again at
// its next start on the same data.
const keyLabels = "postern dev: "

// readKeys are those of all samples.
func readKeys() ([]sampleKey, error) {
	names, err := fs.Glob(devObjects, "objects/keys/*.yaml")
	if err != nil {
		return nil, err
	}
	var list []sampleKey
	for _, name := range names {
		data, err := devObjects.ReadFile(name)
		if err != nil {
			return nil, err
		}
		keys, err := decodeAll[sampleKey](name, data)
		if err != nil {
			return nil, err
		}
		list = append(list, keys...)
	}
	return list, nil
}

// makeKeys makes the API keys of the samples; those of an earlier start are worth nothing
// from then on.
func makeKeys(ctx context.Context, reg *registry.Registry) ([]sampleKey, error) {
	list, err := readKeys()
	if err != nil {
		return nil, err
	}
	if err := endKeys(ctx, reg); err != nil {
		return nil, err
	}
	for i := range list {
		k := &list[i]
		spec := domain.APIKey{Label: keyLabels + k.Label, Audience: k.Audience, Role: domain.Role(k.Role), Reach: domain.Reach{Tenants: []string{k.Tenant}}}
		if _, k.text, err = reg.CreateAPIKey(ctx, by, spec); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// endKeys deletes the keys that an earlier start made, and nobody else's.
func endKeys(ctx context.Context, reg *registry.Registry) error {
	const most = 500
	var ours []domain.APIKey
	for page := (domain.Page{Limit: most}); ; {
		list, err := reg.ListAPIKeys(ctx, page)
		if err != nil {
			return err
		}
		for i := range list {
			if strings.HasPrefix(list[i].Label, keyLabels) {
				ours = append(ours, list[i])
			}
		}
		if len(list) < most {
			break
		}
		page.After = list[len(list)-1].Key()
	}
	for i := range ours {
		if err := reg.DeleteAPIKey(ctx, by, ours[i].ID, 0); err != nil {
			return err
		}
	}
	return nil
}
