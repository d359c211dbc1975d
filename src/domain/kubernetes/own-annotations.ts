// The annotations that Tourniquet writes itself.

/** Annotation on what takes an old identity's place: the name of the old one. */
export const REPLACES = 'tourniquet-replaces';
/** Ours: which try made it. Written down before it is used, so that nothing that somebody else made is taken for ours. */
export const MADE_BY = 'tourniquet-made-by';

/**
 * Annotation that an undo leaves, with its moment, on what is in use again: a kill or a deletion that was sent before it and
 * arrives after it, from a process that was stopped in between, must not undo the undo.
 */
export const RELEASED = 'tourniquet-released';

/** Annotation on an empty Secret that tokens are bound to: for which user outside the cluster. */
export const COLLECTED_FOR = 'tourniquet-collected-for';
