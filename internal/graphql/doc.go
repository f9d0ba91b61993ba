// Package graphql decides whether a GraphQL operation may be forwarded: it turns an
// annotated schema into rules, an operation into what it needs, and an answer into
// what it revealed (DESIGN §6, RULES "Guard, GraphQL").
//
// It is pure: no network, no store, no clock. Who the client is and what it holds are
// internal/policy's; HTTP, batches of answers and the words of a refusal are the
// mouths'. Documents follow the GraphQL specification, October 2021; they are read and
// validated by gqlparser, inside limits that are checked first.
//
// # The action axis
//
// @authenticated, @requiresScopes and @policy stand on fields, objects, interfaces,
// scalars, enums, enum values, arguments, input objects and input fields. Their lists
// are an OR of ANDs; a policy name is an action. Whatever stands on a type, on a field,
// on the interfaces of the type and on the fields of these interfaces holds together.
// A field is answered by what stands on it or on its type, there or at an interface;
// a rule on what it returns is asked for, but answers nothing. A rule on an enum value
// is asked of whoever sends it, and of whoever reads a field that may return it.
//
// A selection is judged for every object type that may stand there: who asks a union
// of A and B needs the type rules of both, even if it selects from A alone, because an
// empty object already tells that there is a B.
//
// # The where axis
//
// A type is scoped (by itself or by its interfaces), unscoped, or plain: a container
// that says nothing itself, as connections, edges and payloads do. An argument names
// resources (@scopedBy), names something that lies in what another argument names
// (@childOf), or names nothing (@unscoped). All else that looks like an id (type ID,
// or named id, …Id, …Ids and the like, also inside input objects) is undeclared.
//
// Every id that an argument with @scopedBy carries is asked for, whatever else is said.
// A field pins the kinds whose arguments carry ids, unless an argument is undeclared, an
// id is null or missing beside others, or a child stands without its parent: such a
// field pins nothing. A field with @scopedBy arguments that pins nothing at all needs
// all of every kind these arguments name. Arguments inside an input object that stands
// in an input object of the same type (filters with and, or, not) pin nothing.
//
// What a field pins holds for the objects it returns and, where it returns a plain
// type, for the scoped objects that are fields of that: one step, so that neither a
// payload's viewer nor its query root inherits anything. An object of a scoped type
// needs all of its kind where nothing pins the kind. Nesting alone is no promise:
// Site.studies below a pinned study may be other studies. The promise is made by a word:
// @childOf, of what an argument names; or @unscoped on a field, which adds nothing. On
// a field of a scoped object (Study.sites) it says that what comes back lies in that
// object; on one whose arguments name a resource, that it lies in that resource; on a
// field of a container (StudyConnection.edges), that it lies in whatever the container
// lies in, be that nothing. It promises nothing where an argument is undeclared, and at
// a root without ids. The root types are roots wherever they stand.
//
// A field that returns no object is answered by @unscoped or @wholeScope on it,
// by @unscoped on its type, by a scoped object it belongs to, by its own arguments if
// they pin, or by the container it stands in, if everything that this may contain is
// pinned. A kind that the arguments pin another time is needed whole where they do not.
// So a total of a connection needs a word of its own (@wholeScope, as a rule).
// A container that contains no scoped type is a part of what it stands in, however deep.
// It answers inside a scoped object, and in what a field with a word or with @scopedBy
// arguments returned: if these pin nothing, who holds all of what they name may read all
// that it is made of. In a container of scoped objects it answers where a leaf beside it
// would, and needs the same: else a total would pass one step further down. A word on the
// way there, or arguments that pin, begin anew.
// A list of containers tells such a total too, even if nothing but __typename is selected:
// one of the kinds that each contains must be pinned, as for an object that the field
// returned, or all of these kinds are needed. Where answers are checked, it does that each
// container is asked for a scoped object, with no directive on the way.
// A mutation always needs one: @scopedBy, @unscoped or @wholeScope. @wholeScope needs
// all of the kinds, and pins them for what the field returns.
//
// What has no answer on one of the axes is refused to everybody, and Coverage lists it.
//
// # Checked answers
//
// With Options.CheckResponses a field marked @checkable that nothing pins, and that
// carries no argument but those marked @paging, passes if every object that comes back
// lies in the client's scope: see Plan.CheckResponse. That reaches through plain types
// of any depth, as long as no argument chooses what stands in them. Every scoped object
// is then checked, pinned ones too, save the kinds that a promise covers. A promise of
// arguments covers nothing where they carry no ids, nor where a @paging input object has
// variables in it.
package graphql
