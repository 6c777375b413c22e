// Holds the rules of house.mjs: arrows between rooms point one way, no file imports in a circle or what is not
// declared, time comes from a clock that is passed in, the pure Python modules are pure, and no file grows too long.
// And no test opens a watch that nobody witnesses (watch-tests.mjs).
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join, posix, sep } from "node:path";
import * as house from "./house.mjs";
import { pythonImports, stripPython, stripTypeScript, typescriptImports } from "./imports.mjs";
import { Failure, isMain, main, root } from "./process.mjs";
import { unwitnessed } from "./watch-tests.mjs";

const isTest = (path) => /\.(test|test-d|contract)\.ts$/.test(path);
const isGenerated = (path) => /(^|\/)_?gen\//.test(path);

/** Checks the tree under this folder; errors and warnings are lines for people. */
export function checkHouse(folder, { pureModules = house.pureModules } = {}) {
  const [errors, warnings] = [[], []];
  const typescript = readTree(join(folder, house.sourceFolder), ".ts");
  const python = readTree(join(folder, house.pythonFolder), ".py");
  const declared = declaredPackages(folder);
  const graph = new Map();

  for (const [path, text] of typescript) {
    const imports = typescriptImports(text).map(({ name, typeOnly }) => ({
      name,
      typeOnly,
      file: resolve(path, name),
    }));
    graph.set(
      path,
      imports.map(({ file }) => file).filter((file) => typescript.has(file)),
    );
    const faults = [
      ...(roomOf(path) ? [] : ["stands in no room: give it one in scripts/house.mjs"]),
      ...imports.flatMap((imported) => checkImport(path, imported, typescript, declared)),
      ...(isTest(path) ? [] : [...checkTime(path, text), ...checkReexports(path, text)]),
    ];
    errors.push(...faults.map((fault) => `${house.sourceFolder}/${path}: ${fault}`));
  }
  errors.push(
    ...findCircles(graph).map(
      (circle) => `${house.sourceFolder}: imports in a circle: ${circle.join(" → ")}`,
    ),
  );
  errors.push(...checkWatches(folder, typescript));
  errors.push(...Object.entries(pureModules).flatMap(([name, banned]) => checkPurity(name, banned, python)));
  for (const [place, files, strip] of [
    [house.sourceFolder, typescript, stripTypeScript],
    [house.pythonFolder, python, stripPython],
  ]) {
    for (const [path, text] of files) checkSize(`${place}/${path}`, strip(text), errors, warnings);
  }
  return { errors, warnings, files: typescript.size + python.size };
}

function roomOf(path) {
  return house.rooms.find(({ prefix }) => path.startsWith(prefix));
}

function checkImport(path, { name, typeOnly, file }, files, declared) {
  const room = roomOf(path);
  if (room === undefined) return [];
  if (file !== undefined) {
    if (!files.has(file)) return [`imports ${name}, which does not exist`];
    const open =
      room.files.some((prefix) => file.startsWith(prefix)) &&
      !room.except?.some((prefix) => file.startsWith(prefix));
    return open || isTest(path) ? [] : [`${room.prefix} may not import ${file}`];
  }
  if (name.startsWith("node:") || builtinModules.includes(name)) {
    return room.node || isTest(path) ? [] : [`${room.prefix} runs in browsers and may not import ${name}`];
  }
  const packageName = name.split("/", name.startsWith("@") ? 2 : 1).join("/");
  if (isTest(path))
    return declared.all.has(packageName) ? [] : [`imports ${packageName}, which no package.json declares`];
  if (!declared.published.has(packageName))
    return [`imports ${packageName}, which packages/bridge/package.json does not declare`];
  const known =
    room.packages === "*" ||
    room.packages?.includes(packageName) ||
    (typeOnly && room.types?.includes(packageName));
  return known
    ? []
    : [
        `${room.prefix} may not import ${packageName}${room.types?.includes(packageName) ? " except its types" : ""}`,
      ];
}

function checkTime(path, text) {
  if (isGenerated(path) || Object.keys(house.timekeepers).some((prefix) => path.startsWith(prefix)))
    return [];
  const code = stripTypeScript(text, "");
  return [...code.matchAll(house.timeWords)].map(({ 0: word, index }) => {
    const line = code.slice(0, index).split("\n").length;
    return `line ${line} uses ${word}: take a clock instead, or become a timekeeper in scripts/house.mjs`;
  });
}

function checkReexports(path, text) {
  if (!roomOf(path)?.reexportsOnly) return [];
  const rest = stripTypeScript(text).replace(
    /export\s+(?:type\s+)?(?:\*(?:\s+as\s+\w+)?|\{[^}]*\})\s*from\s*["'][^"']+["'];?/g,
    "",
  );
  return rest.trim() === "" ? [] : ["holds more than re-exports"];
}

function findCircles(graph) {
  const circles = [];
  const done = new Set();
  const visit = (path, trail) => {
    if (trail.includes(path)) circles.push([...trail.slice(trail.indexOf(path)), path]);
    if (done.has(path) || trail.includes(path)) return;
    for (const next of graph.get(path)) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
  return circles;
}

function checkWatches(folder, typescript) {
  const beside = [...typescript].filter(([path]) => isTest(path));
  const files = new Map([
    ...beside.map(([path, text]) => [`${house.sourceFolder}/${path}`, text]),
    ...[...readTree(join(folder, "tests"), ".ts")].map(([path, text]) => [`tests/${path}`, text]),
  ]);
  return unwitnessed(files).map(
    (path) => `${path}: opens a watch that nobody witnesses: say witnessWatches() first`,
  );
}

function checkPurity(module, banned, files) {
  const place = (name) => `${house.pythonFolder}/${name}.py`;
  if (!files.has(`${module}.py`))
    return [`${place(module)}: is a pure module of scripts/house.mjs and does not exist`];
  const faults = new Set();
  const visit = (name, trail) => {
    for (const imported of pythonImports(files.get(`${name}.py`) ?? "")) {
      const fault = banned.find((word) => imported === word || imported.startsWith(`${word}.`));
      if (fault)
        faults.add(
          `${place(module)}: is pure and may not import ${imported}${trail.length > 1 ? ` (through ${trail.slice(1).join(", ")})` : ""}`,
        );
      const sibling = /^\.(\w+)$/.exec(imported)?.[1];
      if (sibling && !fault && !trail.includes(sibling)) visit(sibling, [...trail, sibling]);
    }
  };
  visit(module, [module]);
  return [...faults];
}

function checkSize(path, code, errors, warnings) {
  if (isGenerated(path) || path in house.sizeExceptions) return;
  const lines = code.split("\n").filter((line) => line.trim() !== "").length;
  const { warn, fail, failTest } = house.sizes;
  const limit = isTest(path) ? failTest : fail;
  if (lines > limit)
    errors.push(`${path}: has ${lines} lines of code and may have ${limit}: split it by ideas`);
  else if (lines > warn && !isTest(path))
    warnings.push(`${path}: has ${lines} lines of code; it should stay under ${warn}`);
}

/** The file that a relative import means, from the source folder; undefined for packages. */
function resolve(from, name) {
  return name.startsWith(".") ? posix.join(posix.dirname(from), name).replace(/\.js$/, ".ts") : undefined;
}

function declaredPackages(folder) {
  const read = (path) => JSON.parse(readFileSync(join(folder, path), "utf8"));
  const bridge = read("packages/bridge/package.json");
  const published = { ...bridge.dependencies, ...bridge.optionalDependencies, ...bridge.peerDependencies };
  const all = { ...published, ...bridge.devDependencies, ...read("package.json").devDependencies };
  return { published: new Set(Object.keys(published)), all: new Set(Object.keys(all)) };
}

function readTree(folder, extension) {
  if (!existsSync(folder)) return new Map();
  const names = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(extension));
  return new Map(
    names.sort().map((name) => [name.replaceAll(sep, "/"), readFileSync(join(folder, name), "utf8")]),
  );
}

if (isMain(import.meta.url)) {
  await main(() => {
    const { errors, warnings, files } = checkHouse(root);
    for (const line of warnings) console.log(`warning: ${line}`);
    if (errors.length > 0) throw new Failure(`the house is not in order:\n${errors.join("\n")}`);
    console.log(`${files} files, in order.`);
  });
}
