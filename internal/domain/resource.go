package domain

import "github.com/postern-dev/postern/internal/policy"

// Resources is a set of resource ids of one kind: some, or all of them.
type Resources = policy.Resources

// ResourceScope says where a client may act: resource kind → ids.
type ResourceScope = policy.ResourceScope
