/**
 * Which versions of our packages work together (DOOR-9): those of one generation. A generation is what semantic versioning
 * promises not to break: the major number, and as long as that is 0, the minor number too. So a bug fix on one side asks
 * for nothing on the other.
 */
const FORM = /^(\d{1,9})\.(\d{1,9})\.\d{1,9}(?:[-+.][-+.\w]*)?$/;

/** One of our packages, as it runs somewhere. */
export interface Party {
  /** What it is called in texts, as `the bridge`. */
  readonly name: string;
  readonly version: string;
  /** The command that installs a generation of the package it comes from; undefined if that is not known. */
  readonly install: ((generation: string) => string) | undefined;
}

/** The command for a package from npm. */
export function npmInstall(generation: string): string {
  return `npm install snakepit-bridge@${generation}`;
}

/** The command for a package from PyPI, by this pip. */
export function pipInstall(generation: string, pip = "pip"): string {
  return `${pip} install "snakepit-bridge==${generation}.*"`;
}

/** The generation of a version: `0.1` of 0.1.7, `2` of 2.5.0; undefined if it is no version. */
export function generationOf(version: string): string | undefined {
  const [, major, minor] = FORM.exec(version) ?? [];
  return major === "0" ? `0.${minor}` : major;
}

/** What to do about two that do not work together; undefined if they do. */
export function versionMismatch(one: Party, other: Party): string | undefined {
  const generation = generationOf(one.version);
  if (generation !== undefined && generation === generationOf(other.version)) return undefined;
  const advice = [change(one, other.version), change(other, one.version)].filter(
    (text) => text !== undefined,
  );
  return (
    `${one.name} is version ${one.version} and ${other.name} is version ${other.version}, which do not work together: ` +
    (advice.length === 0 ? "use the same version on both sides" : advice.join(", or "))
  );
}

/** How a party is brought to the generation of another. */
function change(party: Party, version: string): string | undefined {
  const generation = generationOf(version);
  return generation && party.install && `\`${party.install(generation)}\` changes ${party.name}`;
}
