// Owns: which Postgres the tests and setup use. Dependency-free, and runs on Node 20.
// Order: POSTGRES_BIN, the PATH, then the places where systems put the server's programs (the newest version first).
import { accessSync, constants, existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";

const PROGRAMS = ["initdb", "postgres"];
/** Folders with one folder per version, and where the programs are inside that. */
const VERSIONED = ["/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt", "C:\\Program Files\\PostgreSQL"];

/** The folder that holds `initdb` and `postgres`, or undefined when there is none. */
export function findPostgres() {
  const asked = process.env.POSTGRES_BIN;
  if (asked) return hasPrograms(asked) ? asked : undefined;
  return [...(process.env.PATH ?? "").split(delimiter).filter(Boolean), ...versioned()].find(hasPrograms);
}

function versioned() {
  return VERSIONED.filter((folder) => existsSync(folder)).flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => /^(postgresql(@\d+)?|\d+)$/.test(name))
      .sort((a, b) => b.localeCompare(a, "en", { numeric: true }))
      .map((name) => join(folder, name, "bin")),
  );
}

/** @param {string} folder */
function hasPrograms(folder) {
  return PROGRAMS.every((name) => [name, `${name}.exe`].some((file) => isExecutable(join(folder, file))));
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // Absent or not executable is the answer here, not a fault.
  }
}
