/**
 * A rule for `deno lint`: a secret, key, token or signature is compared by the one constant-time
 * helper (shared/http/secrets.ts) and nowhere else. `===` ends at the first difference, and how long it
 * took tells a patient caller how much of a guess was right.
 *
 * It goes by names: what is called a secret is taken for one, and what is declared, assigned,
 * destructured or looped from one in the same file, under whatever name. What a function is given
 * under a harmless name is not followed, nor what passes through an object. Where a comparison is none of a
 * secret's content, or both sides are the operator's own, the line says so:
 * `// deno-lint-ignore lead-sync/secret-comparison -- reason`. The exceptions are counted by
 * tests/security/secret_comparison_test.ts.
 */

/** The helper itself. */
const helper = /\/shared\/http\/secrets\.ts$/;
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

/** Methods that hand each element of a list to a function. */
const iterating = ["some", "every", "find", "findIndex", "findLast", "filter", "map", "forEach"];

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
        const comparisons: { node: Deno.lint.Node; names: string[] }[] = [];
        const aliases = createAliases();
        const check = (node: Deno.lint.Node, operands: unknown[]) => {
          if (operands.some(saysNothing)) return;
          comparisons.push({ node, names: operands.flatMap(namesOf) });
        };
        const takeParameters = (node: unknown) => {
          for (const each of listOf(node, "params")) aliases.bind(each, []);
        };
        return {
          VariableDeclarator(node) {
            aliases.bind(node.id, namesOf(node.init));
          },
          AssignmentExpression(node) {
            aliases.bind(node.left, namesOf(node.right));
          },
          ForOfStatement(node) {
            const [declared] = listOf(node.left, "declarations");
            aliases.bind(fieldOf(declared, "id") ?? node.left, namesOf(node.right));
          },
          FunctionDeclaration: takeParameters,
          FunctionExpression: takeParameters,
          ArrowFunctionExpression: takeParameters,
          BinaryExpression(node) {
            if (operators.includes(node.operator)) check(node, [node.left, node.right]);
          },
          CallExpression(node) {
            const name = methodOf(node.callee);
            if (name !== undefined && iterating.includes(name)) {
              const [element] = listOf(node.arguments[0], "params");
              aliases.bind(element, namesOf(fieldOf(node.callee, "object")));
            }
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
          // A name may be declared after a function that compares it.
          "Program:exit"() {
            for (const { node, names } of comparisons) {
              const secret = names.flatMap(aliases.namesBehind).find((name) => telltale.test(name));
              if (secret === undefined) continue;
              context.report({
                node,
                message: `"${secret}" looks like a secret: compare it in constant time.`,
                hint: "Use sameSecret() or isAcceptedSecret() of shared/http/secrets.ts.",
              });
            }
          },
        };
      },
    },
  },
};

export default plugin;

/**
 * What the names of a file stand for, whatever their scope. Of a name as {@link namesOf} gives it,
 * a property's begins with a dot: it stands for nothing but itself.
 */
function createAliases() {
  const sources = new Map<string, string[]>();

  /** Takes a pattern that is given a value of these names. */
  function bind(pattern: unknown, names: string[]): void {
    switch (typeOf(pattern)) {
      case "Identifier": {
        const name = String(fieldOf(pattern, "name"));
        sources.set(name, [...sources.get(name) ?? [], ...names]);
        break;
      }
      case "AssignmentPattern":
        bind(fieldOf(pattern, "left"), [...names, ...namesOf(fieldOf(pattern, "right"))]);
        break;
      case "ArrayPattern":
        for (const each of listOf(pattern, "elements")) bind(each, names);
        break;
      case "ObjectPattern":
        for (const each of listOf(pattern, "properties")) {
          const key = fieldOf(each, "key");
          const name = fieldOf(key, "name") ?? fieldOf(key, "value");
          bind(fieldOf(each, "value"), [`.${name}`]);
        }
    }
  }

  /** The name itself, and every name whose value it may have; without their dots. */
  function namesBehind(name: string): string[] {
    const seen = new Set([name]);
    for (const each of seen) for (const source of sources.get(each) ?? []) seen.add(source);
    return Array.from(seen, (each) => each.replace(/^\./, ""));
  }

  return { bind, namesBehind };
}

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

/** What the value of an expression is called; what is no variable, with a dot before. */
function namesOf(node: unknown): string[] {
  switch (typeOf(node)) {
    case "Identifier":
      return [String(fieldOf(node, "name"))];
    case "MemberExpression": {
      const name = methodOf(node);
      const names = name === undefined ? [] : [`.${name}`];
      // `keys[0]`, `settings["secret"]`
      const isComputed = fieldOf(node, "computed") === true;
      return isComputed ? [...names, ...namesOf(fieldOf(node, "object"))] : names;
    }
    case "CallExpression": {
      const callee = fieldOf(node, "callee");
      const name = methodOf(callee);
      if (name === "sameSecret" || name === "isAcceptedSecret") return [];
      if (name !== undefined && passing.includes(name)) {
        return [
          ...namesOf(fieldOf(callee, "object")),
          ...listOf(node, "arguments").flatMap((each) =>
            typeOf(each) === "Literal" ? [`.${fieldOf(each, "value")}`] : namesOf(each)
          ),
        ];
      }
      // What signing makes is compared with what a caller shows.
      return name === undefined ? [] : [name === "sign" ? ".signature" : `.${name}`];
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
