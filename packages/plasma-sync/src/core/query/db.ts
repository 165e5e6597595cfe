// Owns: Db, what mutators and apps query with.
export interface Db { readonly todo: never }
