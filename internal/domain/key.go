package domain

import (
	"encoding/json"
	"time"
)

// Purpose is the one thing a key is for.
type Purpose string

// The purposes.
const (
	PurposeAccess   Purpose = "access"   // access tokens
	PurposeIdentity Purpose = "identity" // tokens that tell an upstream whose call it gets

	PurposeCheckpoint Purpose = "checkpoint" // checkpoints of the audit trail; of no issuer, so in no JWK set of one
)

// Purposes lists those of issuers: every issuer has a key for each.
func Purposes() []Purpose { return []Purpose{PurposeAccess, PurposeIdentity} }

// Key is a signing key of an issuer. A node publishes it from Published until
// Expires and signs with the one whose SignFrom came last, until SignUntil.
type Key struct {
	Issuer     string          `json:"issuer"` // by name
	ID         string          `json:"id"`     // `kid`
	Purpose    Purpose         `json:"purpose"`
	Algorithm  string          `json:"algorithm"`
	Public     json.RawMessage `json:"public,omitempty"` // JWK (RFC 7517); absent for HS256
	Created    time.Time       `json:"created"`
	Published  time.Time       `json:"published"`
	SignFrom   time.Time       `json:"sign_from"`            //
	SignUntil  *time.Time      `json:"sign_until,omitempty"` // absent: until another takes over
	Expires    *time.Time      `json:"expires,omitempty"`    // no longer published, worth nothing; absent: not planned
	VerifyOnly bool            `json:"verify_only,omitempty"`
	Imported   bool            `json:"imported,omitempty"`
	// WithoutEpochUntil: tokens without an epoch are accepted under this
	// (imported) key until then. Absent: never.
	WithoutEpochUntil *time.Time `json:"without_epoch_until,omitempty"`
	Sealed            []byte     `json:"-"` // the private JWK, sealed; in no change and no answer
	Version           int64      `json:"-"`
}

// Kind is KindKey.
func (Key) Kind() Kind { return KindKey }

// Key is the issuer and the kid.
func (k Key) Key() string { return k.Issuer + "/" + k.ID }

// Sensitive is what a store keeps apart from the JSON.
func (k Key) Sensitive() []byte { return k.Sealed }

// SetSensitive puts back what Sensitive gave.
func (k *Key) SetSensitive(b []byte) { k.Sealed = b }

// VaultPurpose is what a vault key protects.
type VaultPurpose string

// The purposes.
const (
	VaultData   VaultPurpose = "data"   // seals signing keys and peppers; itself sealed under the master key
	VaultPepper VaultPurpose = "pepper" // keys the hash of client secrets; sealed under a data key
)

// VaultKey is a symmetric key of the installation, sealed.
type VaultKey struct {
	ID      string       `json:"id"`
	Purpose VaultPurpose `json:"purpose"`
	Created time.Time    `json:"created"`
	Current bool         `json:"current"` // the one that new things are made with
	Sealed  []byte       `json:"-"`
	Version int64        `json:"-"`
}

// Kind is KindVault.
func (VaultKey) Kind() Kind { return KindVault }

// Key is the id.
func (k VaultKey) Key() string { return k.ID }

// Sensitive is what a store keeps apart from the JSON.
func (k VaultKey) Sensitive() []byte { return k.Sealed }

// SetSensitive puts back what Sensitive gave.
func (k *VaultKey) SetSensitive(b []byte) { k.Sealed = b }
