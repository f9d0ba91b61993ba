// Package auditlog is the audit log of an API's own clients (ARB-17, ARB-18): it answers
// calls of an API that has audit_log in place of an upstream, which the guard let pass. A
// caller reads what happened at its issuer to its tenant, and adds events of its own names.
//
// Who may call is the business of internal/guard, what is kept and how that of
// internal/audit and the stores; nothing here changes anything but by adding events.
package auditlog
