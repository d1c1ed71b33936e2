/**
 * A rule for `deno lint`: a secret, key, token or signature is compared by the one constant-time
 * helper (shared/secrets.ts) and nowhere else. `===` ends at the first difference, and how long it
 * took tells a patient caller how much of a guess was right.
 *
 * It goes by names: what is called a secret is taken for one. Where a comparison is none of a
 * secret's content, or both sides are the operator's own, the line says so:
 * `// deno-lint-ignore lead-sync/secret-comparison -- reason`. The exceptions are counted by
 * tests/security/secret_comparison_test.ts.
 */

/** The helper itself. */
const helper = /\/shared\/secrets\.ts$/;
const tests = /\/tests\//;

const telltale =
  /secret|signature|passw(or)?d|api_?key|token|bearer|credential|authorization|hmac|digest|sealed|jwt|cookie|(^|_)keys?$|Keys?$/i;

const operators = ["===", "!==", "==", "!=", "<", ">", "<=", ">=", "in"];

/** Methods that tell whether, or where, one text is in another or in a list. */
const comparing = [
  ...["includes", "startsWith", "endsWith", "indexOf", "lastIndexOf", "search", "match"],
  ...["matchAll", "test", "exec", "localeCompare", "has", "equals", "is", "compare"],
  ...["timingSafeEqual", "equal", "strictEqual", "deepEqual"],
];

/** Methods whose result is the same secret in another form, or read by the name of an argument. */
const passing = [
  ...["get", "getAll", "trim", "trimStart", "trimEnd", "toLowerCase", "toUpperCase", "slice"],
  ...["substring", "toString", "at", "replace", "replaceAll", "split", "join", "concat", "filter"],
  ...["map", "from", "values", "keys", "normalize", "encode", "decode"],
];

const plugin: Deno.lint.Plugin = {
  name: "lead-sync",
  rules: {
    "secret-comparison": {
      create(context) {
        if (helper.test(context.filename) || tests.test(context.filename)) return {};
        const check = (node: Deno.lint.Node, operands: unknown[]) => {
          if (operands.some(saysNothing)) return;
          const names = operands.flatMap(namesOf).filter((name) => telltale.test(name));
          if (names.length === 0) return;
          context.report({
            node,
            message: `"${names[0]}" looks like a secret: compare it in constant time.`,
            hint: "Use sameSecret() or isAcceptedSecret() of shared/secrets.ts.",
          });
        };
        return {
          BinaryExpression(node) {
            if (operators.includes(node.operator)) check(node, [node.left, node.right]);
          },
          CallExpression(node) {
            const name = methodOf(node.callee);
            if (name === undefined || !comparing.includes(name)) return;
            // What is called on: a text, a list, or a library (`timingSafeEqual(a, b)`).
            const target = node.callee.type === "MemberExpression" ? [node.callee.object] : [];
            if ([...target, ...node.arguments].some(isPattern)) return;
            check(node, [[...target, ...node.arguments]].flat().filter((one) => !saysNothing(one)));
          },
          SwitchStatement(node) {
            check(node, [node.discriminant]);
            for (const { test } of node.cases) if (test !== null) check(test, [test]);
          },
        };
      },
    },
  },
};

export default plugin;

/** A node as far as this rule looks into it. */
function fieldOf(node: unknown, name: string): unknown {
  return typeof node === "object" && node !== null ? Reflect.get(node, name) : undefined;
}

function listOf(node: unknown, name: string): unknown[] {
  const value = fieldOf(node, name);
  return Array.isArray(value) ? value : [];
}

function typeOf(node: unknown): string {
  return String(fieldOf(node, "type"));
}

/** `a.b` → b, `f` → f; undefined for anything else that is called. */
function methodOf(callee: unknown): string | undefined {
  if (typeOf(callee) === "Identifier") return String(fieldOf(callee, "name"));
  if (typeOf(callee) !== "MemberExpression") return undefined;
  const property = fieldOf(callee, "property");
  const name = fieldOf(property, "name") ?? fieldOf(property, "value");
  return typeof name === "string" ? name : undefined;
}

/** null, undefined, "", numbers, booleans and `typeof`: nothing of a secret shows by these. */
function saysNothing(node: unknown): boolean {
  switch (typeOf(node)) {
    case "Literal": {
      const value = fieldOf(node, "value");
      return typeof value !== "string" || value === "";
    }
    case "Identifier":
      return fieldOf(node, "name") === "undefined";
    case "UnaryExpression":
      return true;
    case "MemberExpression":
      return ["length", "byteLength", "size"].includes(methodOf(node) ?? "");
    default:
      return false;
  }
}

/** A pattern written out holds no secret: it tells of a form. */
function isPattern(node: unknown): boolean {
  return typeOf(node) === "Literal" && fieldOf(node, "regex") !== undefined;
}

/** What the value of an expression is called. */
function namesOf(node: unknown): string[] {
  switch (typeOf(node)) {
    case "Identifier":
      return [String(fieldOf(node, "name"))];
    case "MemberExpression": {
      const name = methodOf(node);
      // `keys[0]`, `settings["secret"]`
      return fieldOf(node, "computed") === true
        ? [...(name === undefined ? [] : [name]), ...namesOf(fieldOf(node, "object"))]
        : name === undefined
        ? []
        : [name];
    }
    case "CallExpression": {
      const callee = fieldOf(node, "callee");
      const name = methodOf(callee);
      if (name === "sameSecret" || name === "isAcceptedSecret") return [];
      if (name !== undefined && passing.includes(name)) {
        return [
          ...namesOf(fieldOf(callee, "object")),
          ...listOf(node, "arguments").flatMap((each) =>
            typeOf(each) === "Literal" ? [String(fieldOf(each, "value"))] : namesOf(each)
          ),
        ];
      }
      return name === undefined ? [] : [name];
    }
    case "TemplateLiteral":
      return listOf(node, "expressions").flatMap(namesOf);
    case "NewExpression":
      return listOf(node, "arguments").flatMap(namesOf);
    case "ArrayExpression":
      return listOf(node, "elements").flatMap(namesOf);
    case "BinaryExpression":
      return fieldOf(node, "operator") === "+" ? both(node, "left", "right") : [];
    case "LogicalExpression":
      return both(node, "left", "right");
    case "ConditionalExpression":
      return both(node, "consequent", "alternate");
    case "ChainExpression":
    case "TSNonNullExpression":
    case "TSAsExpression":
      return namesOf(fieldOf(node, "expression"));
    case "AwaitExpression":
    case "SpreadElement":
      return namesOf(fieldOf(node, "argument"));
    default:
      return [];
  }
}

function both(node: unknown, first: string, second: string): string[] {
  return [...namesOf(fieldOf(node, first)), ...namesOf(fieldOf(node, second))];
}
