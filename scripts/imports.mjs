// Finds the imports of a source file without a parser: enough for code that formatter and compiler accept.

const literals = [
  /\/\/[^\n]*|\/\*[\s\S]*?\*\//, // a comment
  /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/, // a string
  /`(?:\\[\s\S]|[^`\\])*`/, // a template
  /(?<=[(,=:[!&|?{};\n]\s*)\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/, // a regular expression
];
const literal = new RegExp(literals.map(({ source }) => source).join("|"), "g");

/** The code with comments blanked, and with them the text of all literals whose quote is not among `kept`. */
export function stripTypeScript(source, kept = "\"'`") {
  return source.replace(literal, (text) => {
    if (kept.includes(text[0])) return text;
    return text[0] === "/" ? blank(text) : `${text[0]}${blank(text.slice(1, -1))}${text[0]}`;
  });
}

/** `{ name, typeOnly }` for each import, export-from and dynamic import. */
export function typescriptImports(source) {
  const code = stripTypeScript(source, "\"'");
  const statements = /^\s*(?:import|export)\b(\s+type\b)?[^;"']*?\bfrom\s*["']([^"']+)["']/gm;
  const others = /^\s*import\s*["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']/gm;
  return [
    ...[...code.matchAll(statements)].map(([, type, name]) => ({ name, typeOnly: type !== undefined })),
    ...[...code.matchAll(others)].map(([, bare, dynamic]) => ({ name: bare ?? dynamic, typeOnly: false })),
  ];
}

/** The code of a Python file with comments, strings and docstrings blanked. */
export function stripPython(source) {
  return source.replace(/("""|''')[\s\S]*?\1|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|#[^\n]*/g, blank);
}

/** The modules that a Python file imports: `grpc.aio`, `._errors`, and `._gen` for `from . import _gen`. */
export function pythonImports(source) {
  const code = stripPython(source).replace(/\\\n/g, " ");
  const plain = [...code.matchAll(/^[ \t]*import[ \t]+([^\n;]+)/gm)].flatMap(([, names]) => list(names));
  const from = [...code.matchAll(/^[ \t]*from[ \t]+([.\w]+)[ \t]+import[ \t]*(?:\(([^)]*)\)|([^\n;]+))/gm)];
  const named = from.flatMap(([, module, wrapped, names]) =>
    /^\.+$/.test(module) ? list(wrapped ?? names).map((name) => `${module}${name}`) : [module],
  );
  return [...plain, ...named].map((name) => name.replace(/^snakepit_bridge\./, "."));
}

function list(names) {
  return names
    .split(",")
    .map((name) => name.trim().split(/\s+/)[0])
    .filter((name) => name !== "");
}

function blank(text) {
  return text.replace(/[^\n]/g, " ");
}
