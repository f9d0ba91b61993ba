// Package audit makes the record of what happened one that cannot be altered
// unseen. It owns the hash chain over changes, the hash chains over batches of
// activity (one per node), the verification of both, and the Writer that
// gathers activity into batches without a store's latency on a request.
//
// A chain shows that a row was tampered with, removed or inserted. That its end
// was cut off, only a checkpoint kept elsewhere shows. Where the rows lie is
// the business of sqlstore.
package audit
