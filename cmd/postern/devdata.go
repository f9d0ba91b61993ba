package main

import (
	"context"
	"errors"

	"github.com/postern-dev/postern/internal/declare"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/registry"
	"github.com/postern-dev/postern/internal/server"
	"github.com/postern-dev/postern/oauth"
)

// by is who changes things at the start of `postern dev`.
const by = domain.System

// populate brings the sample objects in and gives each sample client a new secret; what
// was issued before is dead.
func populate(ctx context.Context, node *server.Node, files []declare.File) (map[string]oauth.Secret, declare.Objects, error) {
	objects, err := declare.Parse(files)
	if err != nil {
		return nil, objects, err
	}
	if err := makeRoom(ctx, node.Registry, objects); err != nil {
		return nil, objects, err
	}
	result, err := declare.Apply(ctx, node.Registry, by, objects, declare.Options{})
	if err != nil {
		return nil, objects, err
	}
	secrets := make(map[string]oauth.Secret)
	for _, made := range result.Secrets {
		secrets[domain.ClientKey(made.Issuer, made.ClientID)] = made.Secret
	}
	for _, c := range objects.Clients() {
		if _, made := secrets[c.Key()]; made {
			continue
		}
		if _, secrets[c.Key()], err = node.Registry.ReplaceSecrets(ctx, by, c.Issuer, c.ID, true); err != nil {
			return nil, objects, err
		}
	}
	return secrets, objects, nil
}

// makeRoom moves sample issuers that stand at other ports out of the way first, so that
// none meets another that has yet to move.
func makeRoom(ctx context.Context, reg *registry.Registry, objects declare.Objects) error {
	var moving []domain.Issuer
	for _, i := range objects.Issuers() {
		old, err := reg.GetIssuer(ctx, i.Name)
		if errors.Is(err, domain.ErrNotFound) || err == nil && old.URL == i.URL {
			continue
		}
		if err != nil {
			return err
		}
		moving = append(moving, old)
	}
	if len(moving) == 0 {
		return nil
	}
	for _, t := range objects.Tenants() {
		old, err := reg.GetTenant(ctx, t.ID)
		if err == nil {
			old.Hosts = nil
			_, _, err = reg.PutTenant(ctx, by, old, old.Version)
		}
		if err != nil && !errors.Is(err, domain.ErrNotFound) {
			return err
		}
	}
	for _, i := range moving {
		i.URL, i.Hosts = "http://"+i.Name+".moving.localhost", nil
		if _, _, err := reg.PutIssuer(ctx, by, i, i.Version); err != nil {
			return err
		}
	}
	return nil
}
