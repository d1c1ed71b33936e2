/** Licences (SPDX) that let us use and pass on, with no condition but to name the authors. */
const allowed = ["0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "PostgreSQL"];
/** As free, and rarer: for what is not deployed. */
const allowedInDevelopment = [...allowed, "MIT-0", "Python-2.0", "Unlicense"];

/** May a package under this SPDX expression be used? Of several to choose from, one is enough. */
export function isAllowed(expression: string, use: { inFunctions: boolean }): boolean {
  const plain = expression.replace(/^\((.*)\)$/, "$1").trim();
  if (plain.includes(" OR ")) return plain.split(" OR ").some((each) => isAllowed(each, use));
  if (plain.includes(" AND ")) return plain.split(" AND ").every((each) => isAllowed(each, use));
  return (use.inFunctions ? allowed : allowedInDevelopment).includes(plain);
}
