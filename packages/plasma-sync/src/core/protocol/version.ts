// Owns: the protocol's version number. It goes up when an old peer would misread a message; history is kept here.
//   1: first.

export const PROTOCOL_VERSION = 1;
