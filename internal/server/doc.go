// Package server puts the parts together: opens what a node needs, wires it,
// listens, and stops in the right order. It holds no logic of its own.
package server
